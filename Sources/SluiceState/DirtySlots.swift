public import SluiceCore

/// Slots with changes that are in no changelog and no store yet, to be taken oldest change first.
///
/// A slot may stand here more than once, after a write out of turn or when its place was given to another stream: the
/// older entry only lets replay begin earlier than it must. An entry takes 6 bytes: a million may stand here.
public struct DirtySlots {
    public struct Entry {
        public let slot: UInt32
        /// The first input or command that changed it.
        public let since: Offset
    }

    /// Entries from `first` on whose changes lie at most 65,535 offsets behind `base`.
    private struct Run {
        var first: Int
        let base: Offset
    }

    /// An entry: the slot in two parts, for nothing to be padded, and how far the change lies behind its run's base.
    private struct Change {
        let low, high, lag: UInt16

        init(slot: UInt32, lag: Offset) {
            (low, high) = (UInt16(truncatingIfNeeded: slot), UInt16(truncatingIfNeeded: slot >> 16))
            self.lag = UInt16(lag)
        }

        var slot: UInt32 { UInt32(high) << 16 | UInt32(low) }
    }

    /// For so many there is room in any case once there was: more are not changed between two commits, mostly.
    private static let keptEntries = 1 << 16

    private var changes: [Change] = []
    private var runs: [Run] = []
    /// Of the last run; `.max` without one.
    private var base = Offset.max
    private var next = 0
    /// The run that `next` lies in.
    private var run = 0
    /// The first entry that is older than one before it: a batch changes slots in the order of its waves, and where the
    /// first record of a stream changed nothing, a later one comes behind those of other streams.
    private var firstDisordered: Int?
    /// The latest change of all that stand here.
    private var newest: Offset = .min

    public var count: Int { changes.count - next }
    public var isEmpty: Bool { next == changes.count }
    public var memoryBytes: Int {
        changes.capacity * MemoryLayout<Change>.stride + runs.capacity * MemoryLayout<Run>.stride
    }

    /// Where replay must begin, at the latest, for nothing to be missing; nil when nothing is dirty.
    public var oldest: Offset? {
        isEmpty ? nil : min(since(next, run), firstDisordered.map { lowest(from: $0) } ?? .max)
    }

    private func since(_ index: Int, _ run: Int) -> Offset { runs[run].base + Offset(changes[index].lag) }

    private func forEach(from start: Int, _ body: (Entry) -> Void) {
        var run = runs.lastIndex { $0.first <= start } ?? 0
        for index in start..<changes.count {
            if run + 1 < runs.count && runs[run + 1].first == index { run += 1 }
            body(Entry(slot: changes[index].slot, since: since(index, run)))
        }
    }

    private func lowest(from start: Int) -> Offset {
        var lowest = Offset.max
        forEach(from: start) { lowest = min(lowest, $0.since) }
        return lowest
    }

    @inline(__always)
    mutating func append(_ slot: UInt32, since: Offset) {
        if since < newest && firstDisordered == nil { firstDisordered = changes.count }
        newest = max(newest, since)
        add(slot, since)
    }

    @inline(__always)
    private mutating func add(_ slot: UInt32, _ since: Offset) {
        if since < base || since - base > Offset(UInt16.max) {
            runs.append(Run(first: changes.count, base: since))
            base = since
        }
        changes.append(Change(slot: slot, lag: since - base))
    }

    private mutating func putInOrder() {
        guard let disordered = firstDisordered else { return }
        firstDisordered = nil
        let lowest = lowest(from: disordered)
        // What is older than all of those stays where it is.
        var entries: [Entry] = []
        var low = disordered
        var index = next
        forEach(from: next) { entry in
            if index < low && entry.since > lowest { low = index }
            if index >= low { entries.append(entry) }
            index += 1
        }
        entries.sort { ($0.since, $0.slot) < ($1.since, $1.slot) }
        changes.removeSubrange(low...)
        runs.removeAll { $0.first >= low }
        base = runs.last?.base ?? .max
        for entry in entries { add(entry.slot, entry.since) }
        run = runs.lastIndex { $0.first <= next } ?? 0
    }

    mutating func removeFirst(before offset: Offset) -> Entry? {
        putInOrder()
        guard !isEmpty, since(next, run) < offset else { return nil }
        let first = Entry(slot: changes[next].slot, since: since(next, run))
        next += 1
        if next == changes.count {
            changes.removeAll(keepingCapacity: changes.capacity <= Self.keptEntries)
            runs.removeAll(keepingCapacity: runs.capacity <= Self.keptEntries)
            (next, run, newest, base) = (0, 0, .min, .max)
            return first
        }
        if run + 1 < runs.count && runs[run + 1].first == next { run += 1 }
        if next > 1_024 && next > changes.count / 2 { compact() }
        return first
    }

    private mutating func compact() {
        changes.removeFirst(next)
        runs.removeFirst(run)
        for index in runs.indices { runs[index].first = max(0, runs[index].first - next) }
        (next, run) = (0, 0)
    }

    /// Puts what stood in another list before all that stands here.
    ///
    /// - Parameter places: where its slots are now; `.max` for one that is no more.
    mutating func prepend(_ older: DirtySlots, at places: [UInt32]) {
        var older = older
        older.putInOrder()
        var merged = DirtySlots()
        older.forEach(from: older.next) { entry in
            let place = places[Int(entry.slot)]
            if place != .max { merged.add(place, entry.since) }
        }
        merged.firstDisordered = firstDisordered.map { merged.count + $0 - next }
        merged.newest = max(newest, older.newest)
        forEach(from: next) { merged.add($0.slot, $0.since) }
        self = merged
    }
}
