import Foundation
import SluiceAdmin
import SluiceCore

/// An answer of the HTTP API, as the command line reads it: whatever listens there may be another program.
struct Answers: FuzzTarget {
    static func seeds() -> [Seed] {
        let boundary = SlotBoundary(cause: "gap", time: Timestamp(1_767_225_900_250), offset: 8)
        let summary = StreamSummary(
            stream: "pump \"17\"", partition: 3, step: 412, sequence: "run-9", time: Timestamp(1_767_225_900_000),
            forecast: 71.3, anomaly: 0.03, error: 1e-7, values: [StreamValue(offset: 7, value: nil)])
        let recent = RecentStep(offset: 7, time: nil, step: 0, value: 1, forecast: nil, anomaly: 0.5, boundary: "gap")
        let slot = StreamSlot(
            summary: summary, offset: 12_345, model: "v7", boundary: boundary, resets: 1,
            norms: StateVectors(h: [1], c: [2]), saturation: 0.1,
            scaler: SlotScaler(mean: [1], scale: [2], count: 3), horizon: 1, recent: [recent],
            state: StateVectors(h: [[1, 2]], c: [[3, 4]]))
        let model = ModelSummary(
            version: "v7", sha256: "5a", bytes: 1_000, registered: Timestamp(0), active: true, since: Timestamp(1),
            by: "anna", partitions: [0, 3])
        let audit = AuditEvent(
            id: "a", type: "reset", prefix: "", partition: 0, offset: 9, by: "anna", time: Timestamp(2))
        let overview = ServiceOverview(
            time: Timestamp(3), instance: "i", rate: 1.5, latency: .init(p50: 1, p99: 2), lag: 4, streams: 5,
            predictions: 6, rejects: 7, boundaries: 8, resets: 9, partitions: .init(live: 1, owned: 2, all: 3),
            model: "v7", reasons: ["restoring"])
        let partition = PartitionStatus(partition: 1, owner: nil, offset: 2, end: 3, state: .restoring, progress: 0.5)
        let documents: [any JSONWritable] = [
            StreamPage(streams: [summary], next: "n"), slot, ModelList(models: [model]),
            Promotion(version: "v7", previous: nil, settled: true), PartitionList(partitions: [partition]), audit,
            AppliedCommand(id: "a", stream: "b", partition: 0, offset: 1), ManyReset(id: nil, matched: 2),
            PendingCommand(id: "a"), overview,
        ]
        return documents.enumerated().map { Seed("seed-\($0)", JSONWriter.text(of: $1)) }
    }

    func run(_ bytes: UnsafeRawBufferPointer) throws {
        let data = Data(bytes)
        try read(StreamPage.self, data)
        try read(StreamSlot.self, data)
        try read(ModelList.self, data)
        try read(Promotion.self, data)
        try read(PartitionList.self, data)
        try read(AuditEvent.self, data)
        try read(AppliedCommand.self, data)
        try read(ManyReset.self, data)
        try read(PendingCommand.self, data)
        try read(ServiceOverview.self, data)
    }

    private func read<Answer: Decodable & JSONWritable & Equatable>(_: Answer.Type, _ data: Data) throws {
        guard let answer = try? JSONDecoder().decode(Answer.self, from: data) else { return }
        let written = JSONWriter.text(of: answer)
        let again = try JSONDecoder().decode(Answer.self, from: Data(written.utf8))
        check(again == answer, "an answer reads back as it is written: \(written)")
    }
}
