package import SluiceCore
import SluiceLSTM
package import SluiceSchema
import SluiceState

/// Slots that leave the service and come to it.
extension PartitionState {
    /// Lets a recorded command take effect, between two inputs.
    ///
    /// - Parameter model: the fold of the version that a swap goes to.
    /// - Returns: how many streams it met; nil for one that is on its way through them.
    /// - Throws: as `find`, and what `model` throws; `input-invalid` for an import that does not fit.
    package func obey(_ event: Event, model: (String) throws -> Fold) throws -> Int? {
        precondition(fold.count == 0, "a command takes effect between batches")
        guard event.isCommand else { return 0 }
        if event.type == .swap, let version = event.model {
            return swap(to: try model(version), at: event.offset, control: event.control)
        }
        return event.type == .import ? try restore(event) : try reset(event)
    }

    /// Gives a stream the state of a snapshot: the next input is folded from it, whatever was there before. Its fence
    /// is the last input before.
    private func restore(_ event: Event) throws -> Int {
        guard case .stream(var key)? = event.target, let snapshot = event.snapshot else { return 0 }
        return try key.withUTF8 { text in
            let key = UnsafeRawBufferPointer(text)
            // While inputs are folded again: it is in the snapshot that waits for a swap behind it.
            if try isAhead(key) { return 0 }
            if let slot = try find(key), table.holds(slot, event.control) { return 0 }
            let slot = try place(snapshot, of: key)
            table[slot].header.pointee.fence = event.offset - 1
            table.hold(slot, position: event.offset, control: event.control.map { $0 + 1 } ?? 0)
            table.markDirty(slot, at: event.offset)
            urgent.append(Array(key))
            return 1
        }
    }

    private func place(_ snapshot: [UInt8], of key: UnsafeRawBufferPointer) throws -> UInt32 {
        do {
            return try snapshot.withUnsafeBytes { try fold.snapshots().restore($0, into: table, as: key) }
        } catch {
            throw SluiceError(.invalidInput, "the snapshot of an import does not fit", cause: error)
        }
    }

    /// Whether a snapshot can be given to a stream by a command that comes behind those in the schedule.
    ///
    /// - Throws: `state-invalid` for bytes that are no snapshot or no key, `state-foreign` for a snapshot of another
    ///   model, and what keeps that model from being used.
    func check(_ snapshot: [UInt8], for key: String) throws {
        guard (1...Limits.keyBytes).contains(key.utf8.count) else {
            throw SluiceError(.invalidState, "a stream's key has 1 to \(Limits.keyBytes) bytes, not \(key.utf8.count)")
        }
        let next = try schedule.pendingModel.flatMap { try folds?.fold(.version($0)) } ?? fold
        do {
            try snapshot.withUnsafeBytes { try next.snapshots().check($0) }
        } catch let error as SluiceError where error.code == .foreignState {
            let hash = try snapshot.withUnsafeBytes { try SlotSnapshot.summary($0).modelHash }
            let manifest = next.specification.model.manifest
            throw SluiceError(
                .foreignState,
                "the snapshot is of the model with the hash \(hash.prefix(12))…, and partition \(partition) predicts "
                    + "with \(manifest.version), \(next.specification.model.hash.prefix(12))…",
                remedy: "promote the snapshot's model first: a state means nothing to another model")
        }
    }

    /// A stream's slot as it stands; nil for a stream that has none.
    ///
    /// - Throws: as `find`; `model-invalid` for a model that was never in a file.
    package func export(_ key: String) throws -> SlotExport? {
        guard let slot = try find(key) else { return nil }
        var arena = ByteArena()
        try fold.snapshots().write(slot, of: table, position: position, control: appliedControlOffset, to: &arena)
        return SlotExport(
            partition: partition, offset: position, step: table[slot].header.pointee.step, model: model,
            snapshot: Array(arena.bytes))
    }
}

/// A stream's state on its way out.
package struct SlotExport: Sendable, Equatable {
    package var partition: Int32
    /// Every input of the partition before it is in the state.
    package var offset: Offset
    package var step: Int64
    /// The version of the model whose state it is.
    package var model: String
    /// `schemas/snapshot.md`.
    package var snapshot: [UInt8]
}
