package import SluiceAdmin
package import SluiceCore
internal import Synchronization

/// A service without an engine: streams in a dictionary, resets recorded.
package final class FakeBackend: AdminBackend {
    package struct State: Sendable {
        package var slots: [String: StreamSlot] = [:]
        /// What was asked for: `stream KEY by CALLER`, or `SELECTION by CALLER`.
        package var resets: [String] = []
        package var condition = ServiceCondition()
        /// Thrown by every method that can.
        package var failure: SluiceError?
        /// Resets are recorded and not applied.
        package var isSlow = false
        package var overview = FakeBackend.overview
        package var versions = ["v6", "v7"]
        package var active = "v7"
        package var others: (any OtherInstances)?
        package var snapshot = Array("SLOT of a stream".utf8)
        /// An export takes as long as this does.
        package var exporting: @Sendable () async throws -> Void = {}
    }

    package let audit = AuditFeed()

    private let state: Mutex<State>

    package init(keys: [String] = ["a/b", "pump-17", "pump-9", "reset", "ä", "100%", "plant 3"]) {
        var initial = State()
        for (index, key) in keys.enumerated() { initial.slots[key] = Self.slot(key, index) }
        state = Mutex(initial)
    }

    package func change(_ body: (inout State) -> Void) { state.withLock { body(&$0) } }
    package var others: (any OtherInstances)? { state.withLock { $0.others } }
    package var resets: [String] { state.withLock { $0.resets } }

    /// The slot number `index`; odd ones are not warm and have no sequence.
    package static func slot(_ key: String, _ index: Int) -> StreamSlot {
        let isWarm = index % 2 == 0
        let time = Timestamp(1_767_225_900_000 + Int64(index) * 1_500)
        let summary = StreamSummary(
            stream: key, partition: Int32(index % 4), step: Int64(412 + index), sequence: isWarm ? "run-9" : nil,
            time: time, forecast: 71.25 + Float(index), anomaly: isWarm ? 0.03 : nil, error: isWarm ? 0.5 : nil)
        return StreamSlot(
            summary: summary, offset: 12_345, model: "v7",
            boundary: SlotBoundary(cause: "gap", time: Timestamp(1_767_225_600_000), offset: 11_933), resets: 3,
            norms: StateVectors(h: [1.5, 2], c: [3, 4.25]), saturation: 0.125,
            scaler: SlotScaler(mean: [71, 0.4], scale: [1.5, 0.1], count: 900), horizon: 1,
            recent: [
                RecentStep(
                    offset: 12_344, time: Timestamp(1_767_225_600_000), step: 0, value: 70.5, forecast: 71,
                    anomaly: nil, boundary: "gap"),
                RecentStep(
                    offset: 12_345, time: time, step: 1, value: 71.5, forecast: 71.25, low: 70.5, high: 72,
                    anomaly: 0.03),
            ],
            state: StateVectors(h: [[0.5, -1], [0, 0.25]], c: [[1, 2], [3, 4]]))
    }

    package static let overview = ServiceOverview(
        time: Timestamp(1_767_225_900_000), instance: "host", rate: 124.5,
        latency: ServiceOverview.Latency(p50: 0.5, p99: 2.25), lag: 10, streams: 7, predictions: 412, rejects: 2,
        boundaries: 3, resets: 1, partitions: ServiceOverview.Partitions(live: 1, owned: 2, all: 4), model: "v7",
        retraining: "training, epoch 3 of 12", lastRetraining: "v7 was promoted",
        reasons: ["partition 1 is restoring: 25 %"])

    package func overview() -> ServiceOverview { state.withLock { $0.overview } }

    package func streams(prefix: String, limit: Int, after: String?, values: Int) throws -> StreamPage {
        let slots = try read { $0.slots }
        let keys = slots.keys.filter { $0.hasPrefix(prefix) }
            .sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
            .filter { key in after.map { $0.utf8.lexicographicallyPrecedes(key.utf8) } ?? true }
        let page = keys.prefix(limit)
        let summaries = page.compactMap { slots[$0] }.map { slot in
            var summary = slot.summary
            if values > 0 {
                summary.values = slot.recent.suffix(values).map { StreamValue(offset: $0.offset, value: $0.value) }
            }
            return summary
        }
        return StreamPage(streams: summaries, next: page.count < keys.count ? page.last : nil)
    }

    package func stream(_ key: String, fullState: Bool) throws -> StreamSlot? {
        var slot = try read { $0.slots[key] }
        if !fullState { slot?.state = nil }
        return slot
    }

    package func reset(stream key: String, by caller: String) throws -> CommandOutcome {
        try read { state in
            guard let slot = state.slots[key] else { return .unknown }
            state.resets.append("stream \(key) by \(caller)")
            let id = "r-\(state.resets.count)"
            if state.isSlow { return .pending(id: id) }
            return .applied(
                AppliedCommand(id: id, stream: key, partition: slot.summary.partition, offset: slot.offset + 1))
        }
    }

    package func reset(_ selection: StreamSelection, dryRun: Bool, by caller: String) throws -> ManyReset {
        try read { state in
            let matched = state.slots.keys.count { key in
                if case .prefix(let prefix) = selection { key.hasPrefix(prefix) } else { true }
            }
            if dryRun { return ManyReset(id: nil, matched: matched) }
            state.resets.append("\(selection) by \(caller)")
            return ManyReset(id: "r-\(state.resets.count)", matched: matched)
        }
    }

    package func export(stream key: String, before offset: Offset?, partition: Int32?) async throws -> [UInt8]? {
        try await state.withLock { $0.exporting }()
        return try read { state in
            if let offset, offset < 100 { throw Problem(.inputLost, "the log begins at offset 100") }
            return state.slots[key] == nil ? nil : state.snapshot
        }
    }

    package func `import`(
        _ snapshot: [UInt8], stream key: String, partition: Int32?, by caller: String
    ) throws -> CommandOutcome {
        try read { state in
            guard snapshot.starts(with: Array("SLOT".utf8)) else { throw Problem(.bodyInvalid, "no snapshot") }
            guard let partition = partition ?? state.slots[key]?.summary.partition else { return .unknown }
            state.resets.append("import \(snapshot.count) bytes into \(key) by \(caller)")
            let id = "i-\(state.resets.count)"
            if state.isSlow { return .pending(id: id) }
            return .applied(AppliedCommand(id: id, stream: key, partition: partition, offset: 12_346))
        }
    }

    package func partitions() throws -> [PartitionStatus] {
        try read { _ in
            [
                PartitionStatus(partition: 0, owner: "0-0", offset: 90, end: 100, checkpointAge: 1_200),
                PartitionStatus(
                    partition: 1, owner: nil, offset: nil, end: nil, state: .restoring, progress: 0.25),
            ]
        }
    }

    package func models() throws -> ModelList {
        try read { state in
            ModelList(
                models: state.versions.map { version in
                    ModelSummary(
                        version: version, sha256: String(repeating: "a", count: 64), bytes: 1_234,
                        registered: Timestamp(1_767_225_600_000), active: version == state.active,
                        since: version == state.active ? Timestamp(1_767_225_900_000) : nil,
                        by: version == state.active ? "retrain" : nil,
                        partitions: version == state.active ? [0, 1] : [],
                        report: version == state.active ? "state/models/\(version).report.html" : nil)
                })
        }
    }

    package func promote(_ version: String, by caller: String) throws -> Promotion {
        try read { state in
            guard state.versions.contains(version) else {
                throw SluiceError(.unknownModel, "there is no model \(version)")
            }
            defer { state.active = version }
            state.resets.append("promote \(version) by \(caller)")
            return Promotion(version: version, previous: state.active, settled: !state.isSlow)
        }
    }

    package func export(model version: String) throws -> [UInt8] {
        try read { state in
            guard state.versions.contains(version) else {
                throw SluiceError(.unknownModel, "there is no model \(version)")
            }
            return Array("file of \(version)".utf8)
        }
    }

    package func `import`(model file: [UInt8], by caller: String) throws -> ModelSummary {
        let version = String(decoding: file, as: UTF8.self)
        try read { state in
            guard version.hasPrefix("v") else { throw SluiceError(.invalidModel, "the file is no model") }
            state.versions.append(version)
            state.resets.append("import model \(version) by \(caller)")
        }
        return ModelSummary(
            version: version, sha256: "", bytes: file.count, registered: Timestamp(0), active: false)
    }

    package func rollBack(by caller: String) throws -> Promotion { try promote("v6", by: caller) }

    package func readiness() -> ServiceCondition { state.withLock { $0.condition } }
    package func health() -> ServiceCondition { state.withLock { $0.condition } }

    private func read<Value: Sendable>(_ body: (inout State) throws -> Value) throws -> Value {
        try state.withLock { state in
            if let failure = state.failure { throw failure }
            return try body(&state)
        }
    }
}
