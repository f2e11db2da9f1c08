import SluiceCore
import SluiceLSTM
import SluiceSchema
import SluiceState
import Testing

@testable import SluiceEngine

/// What is kept of the latest observations for people to look at.
@Suite struct RecentTests {
    private func entries(_ rig: FoldRig, _ stream: String, limit: Int = 100) throws -> [RecentRing.Entry] {
        let slot = try #require(try rig.state().find(stream))
        return rig.state().recent.entries(of: rig.state().table.hash(slot), limit: limit)
    }

    @Test(arguments: [HeadKind.point, .gaussian, .quantile, .binary, .categorical])
    func theIntervalIsTheOneThatThePredictionSays(head: HeadKind) throws {
        let model = makeModel(head, classes: head == .categorical ? 3 : nil)
        let rig = try FoldRig(FoldSpecification(model: model))
        let outputs = try rig.run(numbered((0..<20).map { Record("s", Int64($0), Float($0)) }))
        for (entry, output) in zip(try entries(rig, "s"), outputs) {
            let value = output.member("value").flatMap { Float($0) }
            switch head {
            case .gaussian:
                let deviation = try #require(output.member("deviation").flatMap { Float($0) })
                let mean = try #require(value)
                #expect(entry.forecast == mean)
                #expect(entry.low == mean - 2 * deviation && entry.high == mean + 2 * deviation)
            case .quantile:
                #expect(entry.forecast == value)
                #expect(entry.low == output.member("0.1").flatMap { Float($0) })
                #expect(entry.high == output.member("0.9").flatMap { Float($0) })
            default: #expect(entry.low.isNaN && entry.high.isNaN)
            }
        }
    }

    @Test func theFirstObservationBehindABoundaryNamesItsCause() throws {
        let policy = BoundaryPolicy(sequenceChange: true, gap: 1_000)
        let rig = try FoldRig(FoldSpecification(model: makeModel(), boundaries: policy))
        let records = numbered([
            Record("s", 0, 1), Record("s", 1, 1, boundary: "end"), Record("s", 2, 1), Record("s", 3, 1),
            Record("s", 4, 1), Record("s", 2_000, 1), Record("s", 2_001, 1, boundary: "start"), Record("s", 2_002, 1),
        ])
        try rig.run(Array(records[..<4]))
        _ = try rig.state().reset(.stream("s"), at: 4)
        try rig.run(Array(records[4...]))
        #expect(try entries(rig, "s").map(\.boundary) == [.first, nil, .end, nil, .command, .gap, .start, nil])
    }

    @Test func latestValuesOfSeveralStreamsAreFoundAtOnce() {
        var ring = RecentRing(capacity: 10)
        for offset in 0..<25 {
            ring.add(
                RecentRing.Entry(
                    keyHash: UInt64(offset % 3), offset: Int64(offset), time: 0, step: 0, value: Float(offset),
                    forecast: 0, low: .nan, high: .nan, anomaly: .nan, boundary: nil))
        }
        let values = ring.values(of: [0, 2, 7], limit: 2)
        #expect(Set(values.keys) == [0, 2])
        #expect(values[0] == [.init(offset: 21, value: 21), .init(offset: 24, value: 24)])
        #expect(values[2]?.map(\.offset) == [20, 23])
        #expect(ring.values(of: [1], limit: 99)[1]?.map(\.offset) == [16, 19, 22], "only what the ring holds")
    }
}
