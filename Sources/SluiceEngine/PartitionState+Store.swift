import SluiceCore
import SluiceLSTM
import SluiceSchema
import SluiceState

/// Slots that come from the store and go there.
extension PartitionState {
    /// The stream's slot, from memory or from the store; nil for a stream that has none.
    ///
    /// - Throws: `state-invalid` for a store that turns out to be corrupt, `file` for a disk that fails.
    @inline(__always)
    package func find(_ key: UnsafeRawBufferPointer) throws -> UInt32? {
        if let slot = table.find(key) { return slot }
        return spilled > 0 ? try fetch(key) : nil
    }

    /// The stream's slot, a fresh one if it has none.
    @inline(__always)
    package func slot(of key: UnsafeRawBufferPointer) throws -> UInt32 {
        if spilled > 0, let slot = try find(key) { return slot }
        return table.intern(key)
    }

    private func fetch(_ key: UnsafeRawBufferPointer) throws -> UInt32? {
        guard let store else { return nil }
        var slot: UInt32?
        _ = try store.read(key: key) { value in
            // Its end has been folded and is only not stored yet.
            if isDropped(key) { return }
            let summary = try Self.summary(value, of: key)
            if isAhead(summary) { return }
            slot = try admit(value, summary)
        }
        if slot != nil { spilled -= 1 }
        return slot
    }

    /// While inputs are folded again: whether a stream's slot stays in the store until a swap that it holds comes.
    ///
    /// - Throws: as `find`.
    func isAhead(_ key: UnsafeRawBufferPointer) throws -> Bool {
        guard !swapsAhead.isEmpty, table.find(key) == nil, let store else { return false }
        var found = false
        _ = try store.read(key: key) { found = isAhead(try Self.summary($0, of: key)) }
        return found
    }

    private func isAhead(_ summary: SlotSnapshot.Summary) -> Bool {
        !swapsAhead.isEmpty && schedule.lastSwap(before: summary.control) != nil
    }

    /// What a stored snapshot says of itself.
    ///
    /// - Throws: `state-invalid` for a damaged one, and for another stream's: a write may have gone astray.
    static func summary(
        _ value: UnsafeRawBufferPointer, of key: UnsafeRawBufferPointer
    ) throws -> SlotSnapshot.Summary {
        let summary = try SlotSnapshot.summary(value)
        guard summary.key.equals(key) else {
            throw SluiceError(.invalidState, "the store has another stream's state in a stream's place")
        }
        return summary
    }

    /// Whether a stream has ended, though the store may not know yet.
    func isDropped(_ key: UnsafeRawBufferPointer) -> Bool {
        table.dropped.contains { key.elementsEqual($0) } || droppedUnderway.contains { key.elementsEqual($0) }
    }

    /// The ids of the commands that took effect last: one that is given twice is the same command.
    func rememberCommands(_ store: any PartitionStore) throws {
        try ChangelogKey.commands.withUnsafeBytes { key in
            _ = try store.read(key: key) { try schedule.decodeIDs($0) }
        }
    }

    /// Forgets streams that are stored as they are: they are fetched when they are heard of again. Which go are those
    /// that have been idle for long, and, of whatever there is no room for, those that have not changed lately.
    ///
    /// - Parameters:
    ///   - idle: milliseconds of event time; nil: no stream counts as idle.
    ///   - resident: streams that may stay in memory; nil: any number.
    ///   - limit: slots looked at for idleness.
    func spill(idle: Int64?, resident: Int?, limit: Int) {
        guard store != nil, latest != .absent, table.used > 0 else { return }
        var excess = resident.map { max(0, table.count - $0) } ?? 0
        for looked in 0..<Int(table.used) where looked < limit || excess > 0 {
            sweep = sweep + 1 < table.used ? sweep + 1 : 0
            guard table.isStored(sweep) else { continue }
            let time = table[sweep].header.pointee.time
            guard excess > 0 || idle.map({ latest - time > $0 }) ?? false else { continue }
            table.evict(sweep)
            spilled += 1
            excess -= 1
        }
    }
}
