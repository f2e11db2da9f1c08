import SluiceCore
import SluiceEngine
import SluiceSchema
import SluiceState

extension Reference {
    /// Gives the streams that lacked inputs the states that they began with instead, and no other.
    func obey(_ cold: ToldColdStart) throws {
        // No command is on its way through the slots any more.
        state.table.settle()
        for key in Set(stages.keys).union(cold.bases.keys) {
            let base = cold.bases[key]
            if let base, SnapshotText.position(base) >= cold.start.lost { continue }
            try place(rebuilt(key, from: base, cold), of: key)
            try note(key, from: cold.start.from)
        }
    }

    /// What a stream's snapshot becomes: commands to many that it lacks, the cold start, and the inputs that were left
    /// up to where answers begin.
    private func rebuilt(_ key: [UInt8], from base: [UInt8]?, _ cold: ToldColdStart) throws -> [UInt8]? {
        var control: Offset = 0
        var first = try fold("v0")
        if let base {
            let summary = try base.withUnsafeBytes { bytes in
                let summary = try SlotSnapshot.summary(bytes)
                return (summary.control, summary.modelHash)
            }
            control = summary.0
            first = try fold(hash: summary.1)
        }
        let state = PartitionState(partition: partition, fold: first, recentCapacity: 0)
        if let base {
            _ = try base.withUnsafeBytes { try first.specification.snapshots.restore($0, into: state.table) }
        }
        state.liveFrom = .max
        for event in events where event.isOfMany && (control..<max(control, cold.control)).contains(event.control ?? 0)
        {
            state.schedule.add(event)
        }
        try obey(state, before: cold.start.lost)
        if let slot = try key.withUnsafeBytes({ try state.find($0) }) {
            state.table.reset(slot, at: cold.start.lost, cause: .lost)
        }
        for record in log.archive[Int(cold.start.lost)..<Int(cold.start.from)]
        where record.isCommitted && record.key == key {
            try obey(state, before: record.offset)
            try fold(record, of: state)
        }
        try obey(state, before: cold.start.from)
        state.position = cold.start.from
        return try state.export(String(decoding: key, as: UTF8.self))?.snapshot
    }

    private func obey(_ state: PartitionState, before offset: Offset) throws {
        while let event = state.schedule.take(before: offset) { _ = try state.obey(event) { try fold($0) } }
    }

    private func fold(_ record: SimulatedRecord, of state: PartitionState) throws {
        let fold = state.fold
        try withLogRecords([FetchedRecord(topic: Topics.input, partition: partition, record: record)]) { records in
            try fold.append(records[0], at: 0, of: state)
            fold.run()
            fold.clear()
        }
    }

    private func place(_ snapshot: [UInt8]?, of key: [UInt8]) throws {
        try key.withUnsafeBytes { key in
            if let snapshot {
                _ = try snapshot.withUnsafeBytes {
                    try state.fold.specification.snapshots.restore($0, into: state.table, as: key)
                }
            } else if let slot = state.table.find(key) {
                state.table.end(slot)
                state.table.endBatch(slot)
            }
        }
    }
}
