public import SluiceCore

/// Slots with changes that are in no changelog and no store yet, to be taken oldest change first.
///
/// A slot may stand here more than once, after a write out of turn or when its place was given to another stream: the
/// older entry only lets replay begin earlier than it must.
public struct DirtySlots {
    public struct Entry {
        public let slot: UInt32
        /// The first input or command that changed it.
        public let since: Offset
    }

    private var entries: [Entry] = []
    private var next = 0
    /// The first entry that is older than one before it: a batch changes slots in the order of its waves, and where the
    /// first record of a stream changed nothing, a later one comes behind those of other streams.
    private var firstDisordered: Int?
    /// The latest change of all that stand here.
    private var newest: Offset = .min

    public var count: Int { entries.count - next }
    public var isEmpty: Bool { next == entries.count }
    public var memoryBytes: Int { entries.capacity * MemoryLayout<Entry>.stride }
    /// Where replay must begin, at the latest, for nothing to be missing; nil when nothing is dirty.
    public var oldest: Offset? {
        isEmpty ? nil : min(entries[next].since, firstDisordered.map { lowest(from: $0) } ?? .max)
    }

    private func lowest(from start: Int) -> Offset {
        var lowest = Offset.max
        for index in start..<entries.count { lowest = min(lowest, entries[index].since) }
        return lowest
    }

    @inline(__always)
    mutating func append(_ slot: UInt32, since: Offset) {
        if since < newest && firstDisordered == nil { firstDisordered = entries.count }
        newest = max(newest, since)
        entries.append(Entry(slot: slot, since: since))
    }

    private mutating func putInOrder() {
        guard let disordered = firstDisordered else { return }
        firstDisordered = nil
        let lowest = lowest(from: disordered)
        var (low, high) = (next, disordered)
        while low < high {
            let middle = (low + high) / 2
            if entries[middle].since <= lowest { low = middle + 1 } else { high = middle }
        }
        entries[low...].sort { ($0.since, $0.slot) < ($1.since, $1.slot) }
    }

    mutating func removeFirst(before offset: Offset) -> Entry? {
        putInOrder()
        guard !isEmpty, entries[next].since < offset else { return nil }
        let first = entries[next]
        next += 1
        if next == entries.count {
            entries.removeAll(keepingCapacity: true)
            (next, newest) = (0, .min)
        } else if next > 1_024 && next > entries.count / 2 {
            entries.removeFirst(next)
            next = 0
        }
        return first
    }

    /// Puts what stood in another list before all that stands here.
    ///
    /// - Parameter places: where its slots are now; `.max` for one that is no more.
    mutating func prepend(_ older: DirtySlots, at places: [UInt32]) {
        var older = older
        older.putInOrder()
        var merged: [Entry] = []
        merged.reserveCapacity(older.count + count)
        for entry in older.entries[older.next...] where places[Int(entry.slot)] != .max {
            merged.append(Entry(slot: places[Int(entry.slot)], since: entry.since))
        }
        firstDisordered = firstDisordered.map { merged.count + $0 - next }
        merged += entries[next...]
        newest = max(newest, older.newest)
        (entries, next) = (merged, 0)
    }
}
