import SluiceCore
import SluiceNumerics

/// Stream key to slot: open addressing with linear probing, the slot and some bits of XXH64 in 32 bits, so that a probe
/// rarely touches the key itself. Holds neither keys nor their hashes; the caller compares those and works out these.
///
/// It grows without a pause: entries go over into a table of twice the size a few at a time, with each insertion and
/// with each look-up that finds its stream in the old table.
@safe public struct StreamIndex: ~Copyable {
    /// Places of the old table that are looked at with one insertion: at three quarters full it is through long before
    /// the new one is.
    static let step = 8

    private var table: IndexTable
    /// What a larger table has taken the place of; entries at places before `next` are gone.
    private var former: IndexTable?
    private var next = 0
    public private(set) var count = 0

    /// - Parameter count: for how many slots there is room.
    public init(expecting count: Int = 0) {
        var capacity = 1024
        while count * 4 > capacity * 3 { capacity *= 2 }
        table = IndexTable(capacity: capacity)
    }

    deinit {
        table.deallocate()
        former?.deallocate()
    }

    public var memoryBytes: Int { table.memoryBytes + (former?.memoryBytes ?? 0) }
    /// Places of an old table that are still to be looked at.
    var unmoved: Int { former.map { $0.mask + 1 - next } ?? 0 }

    /// The slot whose key `matches`, among those that may have this hash.
    ///
    /// - Parameter hashOf: the hash of the key of a slot that is there, as in all that follows.
    @inline(__always)
    public mutating func find(
        _ hash: UInt64, _ hashOf: (UInt32) -> UInt64, _ matches: (UInt32) -> Bool
    ) -> UInt32? {
        if let slot = table.find(hash, matches) { return slot }
        return former == nil ? nil : findFormer(hash, hashOf, matches)
    }

    /// Has the place where a hash is looked for brought into the cache.
    @inline(__always)
    func fetch(_ hash: UInt64) { table.fetch(hash) }

    /// A slot that may have this hash: the first one whose bits do.
    @inline(__always)
    func candidate(_ hash: UInt64) -> UInt32? { table.find(hash) { _ in true } }

    private mutating func findFormer(
        _ hash: UInt64, _ hashOf: (UInt32) -> UInt64, _ matches: (UInt32) -> Bool
    ) -> UInt32? {
        guard let slot = former?.find(hash, matches) else { return nil }
        move(hashOf)
        return slot
    }

    /// Adds a slot whose key is not there yet. Slots are numbered from 0 and used again: their numbers are below the
    /// most that there were at a time.
    public mutating func insert(_ hash: UInt64, slot: UInt32, _ hashOf: (UInt32) -> UInt64) {
        if (count + 1) * 4 > (table.mask + 1) * 3 { grow(hashOf) }
        table.insert(hash, slot)
        count += 1
        if former != nil { move(hashOf) }
    }

    public mutating func remove(_ hash: UInt64, slot: UInt32, _ hashOf: (UInt32) -> UInt64) {
        if let place = table.place(hash, slot) {
            table.close(place, hashOf)
        } else {
            guard let place = former?.place(hash, slot) else { preconditionFailure("the slot is in the index") }
            former?.leave(place)
        }
        count -= 1
    }

    private mutating func grow(_ hashOf: (UInt32) -> UInt64) {
        while former != nil { move(hashOf) }
        former = table
        next = 0
        table = IndexTable(capacity: (table.mask + 1) * 2)
    }

    private mutating func move(_ hashOf: (UInt32) -> UInt64) {
        guard let former else { return }
        let end = min(next + Self.step, former.mask + 1)
        for place in next..<end {
            guard let slot = former[place] else { continue }
            table.insert(hashOf(slot), slot)
            former.leave(place)
        }
        next = end
        guard end > former.mask else { return }
        former.deallocate()
        self.former = nil
    }
}

/// The entries of an index of one size. A power of two of them, of which some are always vacant.
@safe private struct IndexTable {
    /// The slot's number plus one in as many bits as places are numbered with, for memory begins as zeros; above them
    /// the highest bits of the hash.
    private typealias Entry = UInt32
    private static let vacant: Entry = 0
    /// Once was an entry; those behind it are still found.
    private static let left = Entry.max

    private let entries: UnsafeMutablePointer<Entry>
    let mask: Int
    private let slotMask: UInt32

    init(capacity: Int) {
        mask = capacity - 1
        slotMask = UInt32(mask)
        unsafe entries = mapMemory(capacity * MemoryLayout<Entry>.stride)
            .bindMemory(to: Entry.self, capacity: capacity)
    }

    func deallocate() { unsafe unmapMemory(entries, memoryBytes) }

    var memoryBytes: Int { (mask + 1) * MemoryLayout<Entry>.stride }

    subscript(place: Int) -> UInt32? {
        let entry = unsafe entries[place]
        return entry == Self.vacant || entry == Self.left ? nil : (entry & slotMask) - 1
    }

    @inline(__always)
    private func home(_ hash: UInt64) -> Int { Int(truncatingIfNeeded: hash) & mask }

    /// The bits of the hash that an entry holds, where it holds them.
    @inline(__always)
    private func tag(_ hash: UInt64) -> Entry { Entry(truncatingIfNeeded: hash >> 32) & ~slotMask }

    @inline(__always)
    func find(_ hash: UInt64, _ matches: (UInt32) -> Bool) -> UInt32? {
        var place = home(hash)
        let tag = tag(hash)
        while true {
            let entry = unsafe entries[place]
            if entry == Self.vacant { return nil }
            if (entry ^ tag) <= slotMask && entry != Self.left && matches((entry & slotMask) - 1) {
                return (entry & slotMask) - 1
            }
            place = (place + 1) & mask
        }
    }

    @inline(__always)
    func fetch(_ hash: UInt64) { unsafe prefetch(entries + home(hash), count: 1) }

    /// Where the slot stands; nil if it does not.
    func place(_ hash: UInt64, _ slot: UInt32) -> Int? {
        var place = home(hash)
        let wanted = tag(hash) | slot + 1
        while unsafe entries[place] != wanted {
            if unsafe entries[place] == Self.vacant { return nil }
            place = (place + 1) & mask
        }
        return place
    }

    func insert(_ hash: UInt64, _ slot: UInt32) {
        precondition(slot + 1 < slotMask, "slots are numbered below the number of places")
        var place = home(hash)
        while unsafe entries[place] != Self.vacant { place = (place + 1) & mask }
        unsafe entries[place] = tag(hash) | slot + 1
    }

    func leave(_ place: Int) { unsafe entries[place] = Self.left }

    /// Takes an entry out and closes the gap, so that probing passes no places that were left. Not where any were.
    func close(_ place: Int, _ hashOf: (UInt32) -> UInt64) {
        var hole = place
        var next = (hole + 1) & mask
        while let slot = self[next] {
            if (next - home(hashOf(slot))) & mask >= (next - hole) & mask {
                unsafe entries[hole] = entries[next]
                hole = next
            }
            next = (next + 1) & mask
        }
        unsafe entries[hole] = Self.vacant
    }
}
