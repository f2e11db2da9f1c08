import SluiceCore

/// Stream key to slot: open addressing with linear probing, a 32-bit tag of XXH64 beside each slot index so that a
/// probe rarely touches the key itself. Holds no keys; the caller compares them.
@safe package struct StreamIndex: ~Copyable {
    private struct Entry {
        var tag: UInt32
        var slot: UInt32
    }
    private static let vacant = UInt32.max

    private var entries: UnsafeMutablePointer<Entry>
    private var mask: Int
    package private(set) var count = 0

    /// - Parameter count: for how many slots there is room.
    package init(expecting count: Int = 0) {
        var capacity = 1024
        while count * 4 > capacity * 3 { capacity *= 2 }
        mask = capacity - 1
        unsafe entries = Self.allocate(mask + 1)
    }

    deinit { unsafe entries.deallocate() }

    private static func allocate(_ capacity: Int) -> UnsafeMutablePointer<Entry> {
        let entries = UnsafeMutablePointer<Entry>.allocate(capacity: capacity)
        unsafe entries.initialize(repeating: Entry(tag: 0, slot: vacant), count: capacity)
        return unsafe entries
    }

    /// The slot whose key `matches`, among those with this hash.
    @inline(__always)
    package func find(_ hash: UInt64, _ matches: (UInt32) -> Bool) -> UInt32? {
        let tag = UInt32(truncatingIfNeeded: hash >> 32)
        var position = Int(truncatingIfNeeded: hash) & mask
        while true {
            let entry = unsafe entries[position]
            if entry.slot == Self.vacant { return nil }
            if entry.tag == tag && matches(entry.slot) { return entry.slot }
            position = (position + 1) & mask
        }
    }

    /// Adds a slot whose key is not there yet. `hashOf` gives a slot's full hash, for growing.
    package mutating func insert(_ hash: UInt64, slot: UInt32, hashOf: (UInt32) -> UInt64) {
        if (count + 1) * 4 > (mask + 1) * 3 { grow(hashOf) }
        place(Entry(tag: UInt32(truncatingIfNeeded: hash >> 32), slot: slot), hash)
        count += 1
    }

    /// Takes a slot out and closes the gap, so that probing needs no tombstones.
    package mutating func remove(_ hash: UInt64, slot: UInt32, hashOf: (UInt32) -> UInt64) {
        var hole = Int(truncatingIfNeeded: hash) & mask
        while unsafe entries[hole].slot != slot {
            precondition(unsafe entries[hole].slot != Self.vacant, "the slot is in the index")
            hole = (hole + 1) & mask
        }
        count -= 1
        var next = (hole + 1) & mask
        while unsafe entries[next].slot != Self.vacant {
            let home = Int(truncatingIfNeeded: hashOf(unsafe entries[next].slot)) & mask
            if (next - home) & mask >= (next - hole) & mask {
                unsafe entries[hole] = entries[next]
                hole = next
            }
            next = (next + 1) & mask
        }
        unsafe entries[hole].slot = Self.vacant
    }

    private mutating func place(_ entry: Entry, _ hash: UInt64) {
        var position = Int(truncatingIfNeeded: hash) & mask
        while unsafe entries[position].slot != Self.vacant { position = (position + 1) & mask }
        unsafe entries[position] = entry
    }

    private mutating func grow(_ hashOf: (UInt32) -> UInt64) {
        let old = unsafe entries
        let capacity = mask + 1
        mask = capacity * 2 - 1
        unsafe entries = Self.allocate(capacity * 2)
        for position in 0..<capacity where unsafe old[position].slot != Self.vacant {
            unsafe place(old[position], hashOf(old[position].slot))
        }
        unsafe old.deallocate()
    }
}
