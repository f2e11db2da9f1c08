package import SluiceCore

/// Slots with changes that are in no changelog and no store yet, oldest change first.
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

    package var count: Int { entries.count - next }
    package var isEmpty: Bool { next == entries.count }
    /// Where replay must begin, at the latest, for nothing to be missing; nil when nothing is dirty.
    package var oldest: Offset? { isEmpty ? nil : entries[next].since }

    @inline(__always)
    mutating func append(_ slot: UInt32, since: Offset) { entries.append(Entry(slot: slot, since: since)) }

    mutating func removeFirst(before offset: Offset) -> Entry? {
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
