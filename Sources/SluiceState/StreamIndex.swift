import SluiceCore

/// Stream key to slot: open addressing with linear probing, 32 bits of XXH64 beside each slot so that a probe rarely
/// touches the key itself. Holds no keys; the caller compares them.
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

    /// The slot whose key `matches`, among those with this hash.
    @inline(__always)
    public mutating func find(_ hash: UInt64, _ matches: (UInt32) -> Bool) -> UInt32? {
        let tag = UInt32(truncatingIfNeeded: hash)
        if let slot = table.find(tag, matches) { return slot }
        return former == nil ? nil : findFormer(tag, matches)
    }

    private mutating func findFormer(_ tag: UInt32, _ matches: (UInt32) -> Bool) -> UInt32? {
        guard let slot = former?.find(tag, matches) else { return nil }
        move()
        return slot
    }

    /// Adds a slot whose key is not there yet.
    public mutating func insert(_ hash: UInt64, slot: UInt32) {
        if (count + 1) * 4 > (table.mask + 1) * 3 { grow() }
        table.insert(UInt32(truncatingIfNeeded: hash), slot)
        count += 1
        if former != nil { move() }
    }

    public mutating func remove(_ hash: UInt64, slot: UInt32) {
        let tag = UInt32(truncatingIfNeeded: hash)
        if let place = table.place(tag, slot) {
            table.close(place)
        } else {
            guard let place = former?.place(tag, slot) else { preconditionFailure("the slot is in the index") }
            former?.leave(place)
        }
        count -= 1
    }

    private mutating func grow() {
        while former != nil { move() }
        former = table
        next = 0
        table = IndexTable(capacity: (table.mask + 1) * 2)
    }

    private mutating func move() {
        guard let former else { return }
        let end = min(next + Self.step, former.mask + 1)
        for place in next..<end {
            guard let (tag, slot) = former[place] else { continue }
            table.insert(tag, slot)
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
    private struct Entry {
        var tag: UInt32
        /// The slot's number plus one, for memory begins as zeros; `vacant` or `left`.
        var mark: UInt32
    }
    private static let vacant: UInt32 = 0
    /// Once was an entry; those behind it are still found.
    private static let left = UInt32.max

    private let entries: UnsafeMutablePointer<Entry>
    let mask: Int

    init(capacity: Int) {
        mask = capacity - 1
        unsafe entries = allocateZeroed(capacity * MemoryLayout<Entry>.stride)
            .bindMemory(to: Entry.self, capacity: capacity)
    }

    func deallocate() { unsafe freeZeroed(entries) }

    var memoryBytes: Int { (mask + 1) * MemoryLayout<Entry>.stride }

    subscript(place: Int) -> (tag: UInt32, slot: UInt32)? {
        let entry = unsafe entries[place]
        return entry.mark == Self.vacant || entry.mark == Self.left ? nil : (entry.tag, entry.mark - 1)
    }

    @inline(__always)
    func find(_ tag: UInt32, _ matches: (UInt32) -> Bool) -> UInt32? {
        var place = Int(tag) & mask
        while true {
            let entry = unsafe entries[place]
            if entry.mark == Self.vacant { return nil }
            if entry.tag == tag && entry.mark != Self.left && matches(entry.mark - 1) { return entry.mark - 1 }
            place = (place + 1) & mask
        }
    }

    /// Where the slot stands; nil if it does not.
    func place(_ tag: UInt32, _ slot: UInt32) -> Int? {
        var place = Int(tag) & mask
        while unsafe entries[place].mark != slot + 1 {
            if unsafe entries[place].mark == Self.vacant { return nil }
            place = (place + 1) & mask
        }
        return place
    }

    func insert(_ tag: UInt32, _ slot: UInt32) {
        var place = Int(tag) & mask
        while unsafe entries[place].mark != Self.vacant { place = (place + 1) & mask }
        unsafe entries[place] = Entry(tag: tag, mark: slot + 1)
    }

    func leave(_ place: Int) { unsafe entries[place].mark = Self.left }

    /// Takes an entry out and closes the gap, so that probing passes no places that were left. Not where any were.
    func close(_ place: Int) {
        var hole = place
        var next = (hole + 1) & mask
        while unsafe entries[next].mark != Self.vacant {
            let home = Int(unsafe entries[next].tag) & mask
            if (next - home) & mask >= (next - hole) & mask {
                unsafe entries[hole] = entries[next]
                hole = next
            }
            next = (next + 1) & mask
        }
        unsafe entries[hole].mark = Self.vacant
    }
}
