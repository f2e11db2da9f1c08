package import SluiceCore
import SluiceEngine
import SluiceLSTM
import SluiceLog
import SluiceSchema
import SluiceState

/// What a run without faults makes of a partition's log and its recorded commands: the fold applied record by record,
/// without any worker.
package final class Reference {
    /// An output, and the input that it answers.
    package struct Output: Sendable {
        package var offset: Offset
        package var record: SimulatedRecord
    }

    /// A slot from one change of it to the next.
    struct Stage {
        /// The first input that is not in it; commands before it are.
        var from: Offset
        var fence: Offset
        /// Nil: the stream has ended, or was never seen.
        var bytes: [UInt8]?
    }

    package private(set) var predictions: [Output] = []
    package private(set) var rejects: [Output] = []
    private(set) var stages: [[UInt8]: [Stage]] = [:]
    /// The inputs that there are.
    package private(set) var offsets: [Offset] = []
    let log: PartitionLog
    let partition: Int32
    let events: [Event]
    let origin: Offset
    private let sizes: OutputLimits.Sizes
    let state: PartitionState
    /// Still to come, in order.
    private var coldStarts: ArraySlice<ToldColdStart>
    private var folds: [String: Fold] = [:]
    private var batch = OutputBatch()

    /// - Parameters:
    ///   - origin: the first input; what the log holds before it is none.
    ///   - coldStarts: in the order of their offsets.
    init(
        _ log: PartitionLog, partition: Int32, events: [Event], messageBytesMax: Int,
        sizes: OutputLimits.Sizes = OutputLimits.Sizes(), origin: Offset = 0, coldStarts: [ToldColdStart] = []
    ) throws {
        self.log = log
        self.partition = partition
        self.events = events.filter { $0.partition == partition }
        (self.sizes, self.origin) = (sizes, origin)
        self.coldStarts = coldStarts[...]
        let first = try Fold(specification: Models.specification(0), input: Models.input(0))
        folds["v0"] = first
        state = PartitionState(partition: partition, fold: first, recentCapacity: 0)
        for event in self.events where !coldStarts.contains(where: { $0.precedes(event) }) { state.schedule.add(event) }
        for record in log.archive where record.isCommitted && record.offset >= origin {
            try take(record, messageBytesMax)
        }
        try applyCommands(before: log.high)
    }

    private func take(_ record: SimulatedRecord, _ messageBytesMax: Int) throws {
        try applyCommands(before: record.offset)
        offsets.append(record.offset)
        let fold = state.fold
        let lent = FetchedRecord(topic: Topics.input, partition: partition, record: record)
        try withLogRecords([lent]) { records in
            try fold.append(records[0], at: 0, of: state)
            fold.run()
            fold.emit(
                records, topic: Topics.input, messageBytesMax: messageBytesMax, sizes: sizes, into: &batch)
        }
        for index in batch.entries.indices {
            let output = Output(offset: record.offset, record: Topics.record(batch, index))
            if batch.entries[index].topic == .predictions { predictions.append(output) } else { rejects.append(output) }
        }
        batch.removeAll()
        fold.clear()
        if let key = record.key { try note(key, from: record.offset + 1) }
    }

    private func applyCommands(before offset: Offset) throws {
        while let cold = coldStarts.first, cold.start.from <= offset {
            coldStarts.removeFirst()
            try applyScheduled(before: cold.start.from)
            try obey(cold)
            // A later one may precede them too.
            for event in events where cold.precedes(event) && !coldStarts.contains(where: { $0.precedes(event) }) {
                state.schedule.add(event)
            }
        }
        try applyScheduled(before: offset)
    }

    private func applyScheduled(before offset: Offset) throws {
        while let event = state.schedule.take(before: offset) {
            _ = try state.obey(event) { try fold($0) }
            var keys = Set(stages.keys)
            if case .stream(let key)? = event.target { keys.insert(Array(key.utf8)) }
            for key in keys { try note(key, from: event.offset) }
        }
    }

    func fold(hash: String) throws -> Fold {
        let index = (0..<Models.count).first { Models.specification($0).model.hash == hash } ?? 0
        return try fold("v\(index)")
    }

    func fold(_ version: String) throws -> Fold {
        if let fold = folds[version] { return fold }
        let index = (0..<Models.count).first { "v\($0)" == version } ?? 0
        let fold = try Fold(specification: Models.specification(index), input: Models.input(index))
        folds[version] = fold
        return fold
    }

    /// Remembers what a slot is now, if it has changed.
    func note(_ key: [UInt8], from offset: Offset) throws {
        var stage = Stage(from: offset, fence: -1, bytes: nil)
        if let slot = state.table.find(key.withUnsafeBytes { $0 }) ?? nil, key.count > 0 {
            var arena = ByteArena()
            try state.fold.specification.snapshots.write(
                slot, of: state.table, position: 0, control: 0, to: &arena)
            stage.bytes = SnapshotText.normalised(Array(arena.bytes))
            stage.fence = state.table[slot].header.pointee.fence
        }
        if stages[key]?.last?.bytes == stage.bytes && (stages[key] != nil || stage.bytes == nil) { return }
        stages[key, default: []].append(stage)
    }

    /// Whether anything was done to a stream before an offset.
    func isKnown(_ key: [UInt8], before offset: Offset) -> Bool { stages[key]?.first.map { $0.from < offset } ?? false }

    /// The stages a slot may be in when it holds all inputs before `position`.
    func stages(of key: [UInt8], at position: Offset) -> [Stage] {
        let all = stages[key] ?? []
        return all.indices.filter { index in
            all[index].from <= position && (index + 1 == all.count || all[index + 1].from >= position)
        }.map { all[$0] }
    }
}
