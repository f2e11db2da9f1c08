package import SluiceCore
package import SluiceLog
import SluiceNumerics
import SluiceSchema
import SluiceState

/// Rebuilds a stream's state as it was at an earlier input, by the very fold: from a snapshot that the changelog still
/// holds, or from the beginning of the log. What is served goes on beside it.
package struct SlotRewind {
    private static let timeoutMilliseconds = 5_000

    private let settings: WorkerSettings
    /// States are kept in a changelog: delivery is exactly-once.
    private let hasChangelog: Bool
    private let makeReader: () throws -> any LogReader
    private let folds: Folds

    /// - Parameters:
    ///   - makeReader: makes a reader of what is committed.
    ///   - makeFold: makes the fold of a model, as for a worker.
    package init(
        _ settings: WorkerSettings, hasChangelog: Bool, makeReader: @escaping () throws -> any LogReader,
        makeFold: @escaping (ModelReference) throws -> Fold
    ) {
        self.settings = settings
        self.hasChangelog = hasChangelog
        self.makeReader = makeReader
        folds = Folds(makeFold)
    }

    /// From what a state is rebuilt: a snapshot, or nothing.
    private struct Base {
        var position: Offset
        var control: Offset = 0
        var modelHash: String?
        var snapshot: [UInt8] = []
    }

    /// The state of a stream before the input at `offset`, and before the commands that took effect there; nil where
    /// the stream had none.
    ///
    /// - Parameters:
    ///   - origin: the first input of the partition; what the log holds before it was never folded.
    ///   - eachPoll: called some times a second with the next input to be folded, nil before there is one; throws to
    ///     give up.
    /// - Throws: `input-lost` where the log no longer holds what it takes, `input-invalid` for an offset that is not
    ///   there yet, `model-unknown` for a model that is gone; `broker`, to be tried again.
    package func export(
        _ key: String, partition: Int32, before offset: Offset, origin: Offset = 0,
        eachPoll: (Offset?) throws -> Void = { _ in }
    ) throws -> SlotExport? {
        setFoldFloatEnvironment()
        let reader = try makeReader()
        defer { reader.close() }
        let input = TopicPartition(topic: settings.inputTopic, partition: partition)
        let (low, high) = try reader.watermarks(input, timeoutMilliseconds: Self.timeoutMilliseconds)
        guard (0...high).contains(offset) else {
            throw SluiceError(.invalidInput, "\(input) ends at offset \(high): there is no state at \(offset) yet")
        }
        let history = try CommandHistory(
            reader, topic: settings.eventsTopic, partitions: settings.eventsPartitions, of: partition,
            eachPoll: { try eachPoll(nil) })
        let commands = history.events.filter(\.isCommand)
        let base =
            try snapshot(
                of: Array(key.utf8), before: offset, in: input, low: low, commands, reader, { try eachPoll(nil) })
            ?? beginning(input, low: low, origin: origin, before: offset)
        guard history.isWhole(since: base.control) else {
            throw SluiceError(
                .lostInput,
                "the state at offset \(offset) cannot be rebuilt: "
                    + (history.unreadable == 0
                        ? "\(settings.eventsTopic) no longer reaches back to what was commanded before it"
                        : "\(history.unreadable) records of \(settings.eventsTopic) cannot be read, and may be "
                            + "commands that came before it"),
                remedy: "keep that topic for good (retention.ms=-1), and let nothing but the service write to it")
        }
        let state = try begin(base, partition, commands.filter { $0.offset < offset })
        let bytes = Array(key.utf8)
        try reader.read(
            [input: base.position..<max(base.position, offset)],
            eachPoll: { try eachPoll(reader.position(input) ?? base.position) }
        ) { record in
            guard record.key.elementsEqual(bytes) else { return }
            try obey(state, before: record.offset)
            try state.fold.append(record, at: 0, of: state)
            state.fold.run()
            state.fold.clear()
        }
        try obey(state, before: offset)
        state.position = offset
        return try state.export(key)
    }

    /// The latest snapshot of the stream that holds nothing of what comes from `offset` on, if the log still holds what
    /// comes behind it.
    private func snapshot(
        of key: [UInt8], before offset: Offset, in input: TopicPartition, low: Offset, _ events: [Event],
        _ reader: any LogReader, _ eachPoll: () throws -> Void
    ) throws -> Base? {
        let later = events.filter { $0.offset >= offset }.compactMap(\.control).min() ?? .max
        var found: Base?
        if hasChangelog {
            let changelog = TopicPartition(topic: settings.slotsTopic, partition: input.partition)
            let (first, end) = try reader.watermarks(changelog, timeoutMilliseconds: Self.timeoutMilliseconds)
            let heads = try HeadDecoder()
            // Nothing of the stream is written behind it so far.
            var isLast = false
            try reader.read([changelog: first..<max(first, end)], eachPoll: eachPoll) { record in
                if isLast, let base = found, record.key.elementsEqual(ChangelogKey.head) {
                    // What had an input before it is written by then: this stream had none.
                    let covered = try heads.head(record.value).replayFrom
                    found?.position = max(base.position, min(covered, offset))
                }
                guard record.key.elementsEqual(key) else { return }
                isLast = false
                guard record.value.baseAddress != nil else { return }
                let summary = try SlotSnapshot.summary(record.value)
                let (position, control) = (summary.position, summary.control)
                guard position <= offset, control <= later else { return }
                isLast = true
                found = Base(
                    position: position, control: control, modelHash: summary.modelHash, snapshot: Array(record.value))
            }
        }
        return found.flatMap { low <= $0.position ? $0 : nil }
    }

    /// Where a partition began, before its streams had any state.
    private func beginning(
        _ input: TopicPartition, low: Offset, origin: Offset, before offset: Offset
    ) throws -> Base {
        guard low <= origin else {
            throw SluiceError(
                .lostInput,
                "the state at offset \(offset) cannot be rebuilt: \(input) begins at offset \(low), and no snapshot of "
                    + "the stream from between them is left",
                remedy: "ask for a later offset, and keep inputs for as long as you may want to go back")
        }
        return Base(position: origin)
    }

    private func begin(_ base: Base, _ partition: Int32, _ events: [Event]) throws -> PartitionState {
        let missing = events.filter { ($0.control ?? 0) >= base.control }
        let first = missing.filter { $0.type == .swap }.min { ($0.control ?? 0) < ($1.control ?? 0) }
        let reference =
            base.modelHash.map { ModelReference.hash($0) }
            ?? first?.previous.map { .version($0) } ?? .active
        let state = PartitionState(
            partition: partition, fold: try folds.fold(reference), recentCapacity: 0, store: nil, folds: folds)
        if !base.snapshot.isEmpty {
            _ = try base.snapshot.withUnsafeBytes { try state.fold.snapshots().restore($0, into: state.table) }
        }
        state.liveFrom = .max
        state.controlOffset = max(base.control, (missing.compactMap(\.control).max() ?? -1) + 1)
        for event in missing { state.schedule.add(event) }
        return state
    }

    private func obey(_ state: PartitionState, before offset: Offset) throws {
        while let event = state.schedule.take(before: offset) {
            _ = try state.obey(event) { try folds.fold(.version($0)) }
        }
    }
}
