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
            slot = try admit(value, Self.summary(value, of: key))
        }
        if slot != nil { spilled -= 1 }
        return slot
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

    /// Puts a stored snapshot into the table, brought up to now by the markers that it does not hold.
    ///
    /// - Throws: `state-invalid` or `state-foreign` for a snapshot that no model here can take, `model-unknown`.
    func admit(_ value: UnsafeRawBufferPointer, _ summary: SlotSnapshot.Summary) throws -> UInt32 {
        let missing = markers.filter { ($0.control ?? 0) >= summary.header.control }
        guard !missing.isEmpty else { return try fold.snapshots().restore(value, into: table) }
        var arena = ByteArena()
        do {
            try catchUp(value, summary, missing, into: &arena)
        } catch let error as SluiceError where error.code == .unknownModel {
            guard lostInput == .coldStart else { throw Self.lostModel(error) }
            return beginAnew(summary)
        }
        let slot = try fold.snapshots().restore(arena.bytes, into: table)
        table.markStale(slot)
        return slot
    }

    /// What there is to do about a model that states need and that is gone.
    static func lostModel(_ error: SluiceError) -> SluiceError {
        SluiceError(
            error.code, error.message,
            remedy: "put the file of the model back; state.lost_input: cold-start goes on without it",
            retry: error.retry,
            cause: error.cause)
    }

    /// A slot of a model that is gone: nobody can say any more what it means. One stream begins anew, and the others go
    /// on.
    private func beginAnew(_ summary: SlotSnapshot.Summary) -> UInt32 {
        cold.append(String(decoding: summary.key, as: UTF8.self))
        let slot = table.intern(summary.key)
        let header = table[slot].header
        (header.pointee.fence, header.pointee.time) = (summary.header.fence, summary.header.time)
        (header.pointee.position, header.pointee.control) = (summary.header.position, summary.header.control)
        table.reset(slot, at: position, cause: .lost)
        table.markDirty(slot, at: position)
        return slot
    }

    /// Appends the snapshot that `value` has become by commands to the whole partition.
    private func catchUp(
        _ value: UnsafeRawBufferPointer, _ summary: SlotSnapshot.Summary, _ commands: [Event],
        into arena: inout ByteArena
    ) throws {
        guard let folds else { throw SluiceError(.foreignState, "a snapshot belongs to another model") }
        var fold = try folds.fold(.hash(summary.modelHash))
        var table = SlotTable(layout: fold.layout, initialState: fold.specification.initialState)
        _ = try fold.snapshots().restore(value, into: table)
        for command in commands {
            if command.type == .swap, let version = command.model {
                let successor = try folds.fold(.version(version))
                guard !successor.isSameModel(as: fold) else { continue }
                table = SlotTable(
                    swapping: table, of: fold.specification, to: successor.specification, at: command.offset)
                fold = successor
            } else if case .prefix(let prefix)? = command.target, summary.key.starts(with: prefix.utf8) {
                if let slot = table.find(summary.key) { table.reset(slot, at: command.offset) }
            }
        }
        guard fold.isSameModel(as: self.fold), let slot = table.find(summary.key) else {
            throw SluiceError(.foreignState, "a snapshot belongs to a model that the markers do not lead to")
        }
        try fold.snapshots().write(
            slot, of: table, position: summary.header.position, control: summary.header.control, to: &arena)
    }

    /// The ids of the commands that took effect last: one that is given twice is the same command.
    func rememberCommands(_ store: any PartitionStore) throws {
        try ChangelogKey.commands.withUnsafeBytes { key in
            _ = try store.read(key: key) { try schedule.decodeIDs($0) }
        }
    }

    /// Brings some of the spilled slots up to the markers, so that neither those nor old models are needed for ever:
    /// they are written with the next commits, and spilled again when they are looked at.
    ///
    /// - Parameter limit: slots looked at.
    /// - Throws: as `find`.
    func catchUpSpilled(limit: Int) throws {
        guard let catchingUp else { return }
        guard spilled > 0, let newest = markers.compactMap(\.control).max() else { return self.catchingUp = nil }
        var behind: [[UInt8]] = []
        let last = try scanSpilled(prefix: [], after: catchingUp.after, limit: limit) { key, value in
            if try Self.summary(value, of: key).header.control <= newest { behind.append(Array(key)) }
        }
        for key in behind { _ = try key.withUnsafeBytes { try find($0) } }
        self.catchingUp = last.map { CatchingUp(after: $0) }
    }

    /// Takes in the snapshots that waited for a swap.
    func admitAhead(of swap: Offset) throws {
        for (key, snapshot) in ahead where snapshot.swap == swap {
            _ = try snapshot.value.withUnsafeBytes { try fold.snapshots().restore($0, into: table) }
            ahead[key] = nil
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
