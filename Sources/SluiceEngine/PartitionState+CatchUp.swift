import SluiceCore
import SluiceLSTM
import SluiceSchema
import SluiceState

/// Slots that lay in the store while commands to the whole partition took effect, or inputs that they needed were lost.
extension PartitionState {
    /// Whether a stored slot may lack inputs that were gone when the partition was restored.
    func isLost(_ summary: SlotSnapshot.Summary) -> Bool { lostBefore.map { summary.position < $0 } ?? false }

    /// Puts a stored snapshot into the table, brought up to now by the markers that it does not hold, and set back
    /// where it lacks inputs that are gone.
    ///
    /// - Throws: `state-invalid` or `state-foreign` for a snapshot that no model here can take, `model-unknown`.
    func admit(_ value: UnsafeRawBufferPointer, _ summary: SlotSnapshot.Summary) throws -> UInt32 {
        let slot = try admitSettled(value, summary)
        // Until all of them are stored, a restart knows that inputs are missing.
        if isLost(summary) { table.markDirty(slot, at: lostFrom ?? position) }
        return slot
    }

    private func admitSettled(_ value: UnsafeRawBufferPointer, _ summary: SlotSnapshot.Summary) throws -> UInt32 {
        // What took effect before an input that it holds is in it, though its writer had not come so far in the control
        // partition again.
        let missing = markers.filter { ($0.control ?? 0) >= summary.control && $0.offset >= summary.position }
        guard !missing.isEmpty else {
            let slot = try fold.snapshots().restore(value, into: table)
            if let lostBefore, isLost(summary) { table.reset(slot, at: lostBefore, cause: .lost) }
            return slot
        }
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
        table.hold(slot, position: summary.position, control: summary.control)
        table.reset(slot, at: position, cause: .lost)
        table.markDirty(slot, at: lostFrom ?? position)
        return slot
    }

    /// Appends the snapshot that `value` has become by commands to the whole partition.
    private func catchUp(
        _ value: UnsafeRawBufferPointer, _ summary: SlotSnapshot.Summary, _ commands: [Event],
        into arena: inout ByteArena
    ) throws {
        guard let folds else { throw SluiceError(.foreignState, "a snapshot belongs to another model") }
        var fold = try folds.fold(.hash(summary.modelHash))
        var table = SlotTable(fold.specification)
        _ = try fold.snapshots().restore(value, into: table)
        var lost = isLost(summary) ? lostBefore : nil
        func setBack() {
            if let lost, let slot = table.find(summary.key) { table.reset(slot, at: lost, cause: .lost) }
            lost = nil
        }
        for command in commands {
            // It was restored between the commands that were stored and those that came later, perhaps before the very
            // same input.
            if command.control ?? 0 > lastBeforeLoss { setBack() }
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
        setBack()
        guard fold.isSameModel(as: self.fold), let slot = table.find(summary.key) else {
            throw SluiceError(.foreignState, "a snapshot belongs to a model that the markers do not lead to")
        }
        try fold.snapshots().write(
            slot, of: table, position: summary.position, control: summary.control, to: &arena)
    }

    /// Brings some of the spilled slots up to the markers, and sets back those that lack inputs which are gone, so that
    /// neither those nor old models are needed for ever: they are written with the next commits, and spilled again when
    /// they are looked at.
    ///
    /// - Parameter limit: slots looked at.
    /// - Throws: as `find`.
    func catchUpSpilled(limit: Int) throws {
        guard let catchingUp else { return }
        let newest = markers.compactMap(\.control).max()
        guard spilled > 0, newest != nil || lostFrom != nil else { return caughtUp() }
        var behind: [[UInt8]] = []
        let last = try scanSpilled(prefix: [], after: catchingUp.after, limit: limit) { key, value in
            let summary = try Self.summary(value, of: key)
            if newest.map({ summary.control <= $0 }) ?? false || isLost(summary) { behind.append(Array(key)) }
        }
        for key in behind { _ = try key.withUnsafeBytes { try find($0) } }
        if let last { self.catchingUp = CatchingUp(after: last) } else { caughtUp() }
    }

    /// No slot lacks anything in the store alone: what some still lack there counts as changed in memory.
    private func caughtUp() { (catchingUp, lostFrom) = (nil, nil) }
}
