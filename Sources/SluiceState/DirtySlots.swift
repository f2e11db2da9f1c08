package import SluiceCore

/// Slots with changes that are in no changelog and no store yet, to be taken oldest change first.
///
/// A slot may stand here more than once, after a write out of turn or when its place was given to another stream: the
/// older entry only lets replay begin earlier than it must.
package struct DirtySlots {
    package struct Entry {
        package let slot: UInt32
        /// The first input or command that changed it.
        package let since: Offset
    }

    private var entries: [Entry] = []
    private var next = 0
    /// The first entry that is older than one before it: a batch changes slots in the order of its waves, and where the
    /// first record of a stream changed nothing, a later one comes behind those of other streams.
    private var firstDisordered: Int?

    package var count: Int { entries.count - next }
    package var isEmpty: Bool { next == entries.count }
    /// Where replay must begin, at the latest, for nothing to be missing; nil when nothing is dirty.
    package var oldest: Offset? {
        guard !isEmpty else { return nil }
        let disordered = firstDisordered.flatMap { entries[max($0, next)...].lazy.map(\.since).min() }
        return min(entries[next].since, disordered ?? .max)
    }

    @inline(__always)
    mutating func append(_ slot: UInt32, since: Offset) {
        if let last = entries.last, since < last.since, firstDisordered == nil { firstDisordered = entries.count }
        entries.append(Entry(slot: slot, since: since))
    }

    private mutating func putInOrder() {
        guard let disordered = firstDisordered else { return }
        firstDisordered = nil
        guard let lowest = entries[max(disordered, next)...].lazy.map(\.since).min() else { return }
        var (low, high) = (next, max(disordered, next))
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
            next = 0
        } else if next > 1_024 && next > entries.count / 2 {
            entries.removeFirst(next)
            next = 0
        }
        return first
    }

    /// The entries in their order.
    func forEach(_ body: (Entry) -> Void) { for entry in entries[next...] { body(entry) } }
}
