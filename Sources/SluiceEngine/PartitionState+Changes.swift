import SluiceCore
import SluiceLog
import SluiceSchema
import SluiceState

/// What of a partition is written to the changelog and the store.
extension PartitionState {
    /// How many slots have about so many bytes in snapshots, at least one.
    func slots(inBytes bytes: Int) -> Int { max(1, bytes / table.layout.stride) }

    /// How many dirty slots are written with a commit: as many as let the most that were dirty at a time be written
    /// within a checkpoint interval, spread evenly; but no more than memory and the next commit can take, for a commit
    /// that is late would else have more to write, and be later.
    ///
    /// - Parameter elapsed: nanoseconds since slots were written last.
    func slotsDue(elapsed: Int64, _ now: Int64, _ settings: WorkerSettings) -> Int {
        if table.dirtyCount >= mostDirty.count || now - mostDirty.nanoseconds > settings.checkpointNanoseconds {
            mostDirty = (table.dirtyCount, now)
        }
        let share = Double(max(elapsed, settings.commitNanoseconds)) / Double(max(1, settings.checkpointNanoseconds))
        let due = Int((min(1, share) * Double(mostDirty.count)).rounded(.up))
        return max(settings.slotsMinimum, min(due, slots(inBytes: settings.changesBytes)))
    }

    /// Something is to be written that should not wait: the effect of a command, or that no input is missing any more.
    var isPressing: Bool { !urgent.isEmpty || hasNewCommands || !newMarkers.isEmpty || lostFrom != nil }

    /// Appends what is to be stored now, as entries of the changelog: tombstones, slots, markers. They count as stored
    /// from now on.
    ///
    /// - Parameters:
    ///   - limit: dirty slots at most, besides those that must be written.
    ///   - stale: slots at most that are only stale: nothing waits for them but markers.
    ///   - before: slots that have been dirty since before this offset must be written.
    /// - Returns: how many slots.
    func writeChanges(limit: Int, stale: Int, before: Offset, into outputs: inout OutputBatch) throws -> Int {
        for key in table.dropped { put(key, nil, &outputs) }
        droppedUnderway += table.dropped
        table.clearDropped()
        let format = try fold.snapshots()
        var written = 0
        for key in urgent {
            // It may have ended since.
            guard let slot = key.withUnsafeBytes({ table.find($0) }), table.takeChange(slot) else { continue }
            put(slot, format, &outputs)
            written += 1
        }
        urgent.removeAll(keepingCapacity: true)
        while let slot = table.takeDirty(before: written < limit ? .max : before) {
            put(slot, format, &outputs)
            written += 1
        }
        var caughtUp = 0
        while caughtUp < stale, let slot = table.takeStale() {
            put(slot, format, &outputs)
            caughtUp += 1
        }
        if hasNewCommands {
            put(ChangelogKey.commands, schedule.encodeIDs(into: &outputs.arena), &outputs)
            hasNewCommands = false
        }
        try writeMarkers(&outputs)
        return written + caughtUp
    }

    /// A command to the whole partition takes effect: stored slots come to it by its marker.
    func remember(_ command: Event) {
        let control = command.control ?? 0
        guard !markers.contains(where: { $0.control == control }) else { return }
        markers.append(command)
        if spilled > 0 { catchingUp = CatchingUp() }
        // Behind a restart those of the changelog are repeated.
        if !storedMarkers.contains(control) { newMarkers.append(command) }
    }

    /// New markers are written; those whose effect every stored slot holds are taken away.
    private func writeMarkers(_ outputs: inout OutputBatch) throws {
        for marker in newMarkers {
            let value = marker.encode(into: &outputs.arena)
            put(ChangelogKey.marker(control: marker.control ?? 0), value, &outputs)
        }
        newMarkers.removeAll()
        guard !markers.isEmpty, !table.hasStale, catchingUp == nil else { return }
        let from = replayOffset
        for marker in markers where marker.offset < from {
            put(ChangelogKey.marker(control: marker.control ?? 0), nil, &outputs)
        }
        markers.removeAll { $0.offset < from }
    }

    private func put(_ slot: UInt32, _ format: SlotSnapshot, _ outputs: inout OutputBatch) {
        let start = outputs.arena.count
        outputs.arena.append(table.key(slot))
        let key = start..<outputs.arena.count
        format.write(slot, of: table, position: position, control: appliedControlOffset, to: &outputs.arena)
        let value = key.upperBound..<outputs.arena.count
        outputs.entries.append(OutputBatch.Entry(topic: .slots, partition: partition, key: key, value: value))
    }

    func put(_ key: [UInt8], _ value: Range<Int>?, _ outputs: inout OutputBatch) {
        let start = outputs.arena.count
        key.withUnsafeBytes { outputs.arena.append($0) }
        outputs.entries.append(
            OutputBatch.Entry(topic: .slots, partition: partition, key: start..<outputs.arena.count, value: value))
    }

    /// Bytes of the changelog's entries in a batch.
    static func stateBytes(_ outputs: borrowing OutputBatch) -> Int {
        var bytes = 0
        for index in 0..<outputs.entries.count where outputs.entries[index].topic == .slots {
            bytes += (outputs.entries[index].key?.count ?? 0) + (outputs.entries[index].value?.count ?? 0)
        }
        return bytes
    }

    /// Writes the changelog's entries of this partition to the store, with the position at which they stand.
    func store(_ outputs: borrowing OutputBatch, _ position: StoredPosition) throws {
        try startStore(outputs, position)
        _ = try isStored(waits: true)
    }

    /// The same, begun: `isStored` says when it is done, and nothing else is stored before.
    func startStore(_ outputs: borrowing OutputBatch, _ position: StoredPosition) throws {
        guard let store else { return }
        for index in 0..<outputs.entries.count {
            let entry = outputs.entries[index]
            guard entry.topic == .slots, entry.partition == partition, let range = entry.key else { continue }
            let key = outputs.arena.bytes(range)
            // The head is the position.
            if ChangelogKey.isHead(key) { continue }
            if let value = entry.value {
                store.put(key: key, value: outputs.arena.bytes(value))
            } else {
                store.remove(key: key)
            }
        }
        try store.startWrite(position)
    }

    /// Whether what was begun to be stored is stored.
    ///
    /// - Parameter waits: returns when it is.
    func isStored(waits: Bool) throws -> Bool {
        guard let store else { return true }
        guard try store.isWritten(waits: waits) else { return false }
        droppedUnderway.removeAll(keepingCapacity: true)
        return true
    }
}
