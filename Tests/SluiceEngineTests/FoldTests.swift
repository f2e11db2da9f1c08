import SluiceCore
import SluiceLSTM
import SluiceLog
import SluiceSchema
import SluiceState
import SluiceTestKit
import Testing

@testable import SluiceEngine

@Suite struct FoldTests {
    private static let boundaries = BoundaryPolicy(sequenceChange: true, gap: 3_600_000, every: 50)

    private func specification(_ model: Model = makeModel(), late: LatePolicy = .apply) -> FoldSpecification {
        FoldSpecification(model: model, boundaries: Self.boundaries, late: late)
    }

    /// A label that is no class, right behind records whose last looked at field differs: its message must not.
    private func labelled(_ records: [Record]) -> [Record] {
        records.enumerated().map { index, record in
            guard index % 11 == 5, record.value != nil else { return record }
            var bad = Record(
                "stream-\(index % 9)", 1_700_000_000_000 + Int64(index), 1, 1, more: ",\"label\":\(index % 3).5")
            (bad.partition, bad.offset) = (record.partition, record.offset)
            return bad
        }
    }

    @Test(arguments: [HeadKind.point, .gaussian, .quantile, .binary, .categorical])
    func outputBytesDoNotDependOnTheBatches(head: HeadKind) throws {
        let specification = specification(makeModel(head, classes: head == .categorical ? 3 : nil), late: .reject)
        let records = labelled(mixture(1_500, partitions: 2))
        let reference = try FoldRig(specification)
        let expected = try reference.run(records, batches: [1])
        #expect(Set(expected.map(\.topic)) == [.predictions, .rejects])
        var generator = Generator(seed: 3)
        for batches in [[2], [7], [64], [1_000], [4_096], (0..<40).map { _ in 1 + generator.below(300) }] {
            let rig = try FoldRig(specification)
            let outputs = try rig.run(records, batches: batches)
            #expect(outputs == expected, "\(batches)")
            for stream in 0..<9 {
                let partition = Int32(stream % 2)
                #expect(
                    try rig.snapshot("stream-\(stream)", partition) == reference.snapshot("stream-\(stream)", partition)
                )
            }
        }
    }

    @Test(arguments: [InitialStateKind.normal, .uniform])
    func drawnStatesDependOnTheStreamAndItsResetsAlone(_ kind: InitialStateKind) throws {
        let specification = specification(makeModel(layers: 2, drawn: kind), late: .reject)
        let records = labelled(mixture(1_500, partitions: 2))
        let reference = try FoldRig(specification)
        let expected = try reference.run(records, batches: [1])
        for batches in [[7], [64, 3], [4_096]] {
            #expect(try FoldRig(specification).run(records, batches: batches) == expected, "\(batches)")
        }
        // The mean of the distribution, and another seed, predict otherwise from the first observation on.
        var others = [makeModel(layers: 2, drawn: kind), makeModel(layers: 2, drawn: kind)]
        others[0].manifest.initialStateNoise = nil
        others[1].manifest.seed = 1
        for other in others {
            let outputs = try FoldRig(self.specification(other, late: .reject)).run(records)
            #expect(outputs.first?.member("value") != expected.first?.member("forecasts"))
        }
        // Each stream's, and each reset's, is another.
        let twins = numbered(["x", "y", "x", "y"].enumerated().map { Record($1, Int64($0), 1, 1, boundary: "start") })
        let values = try FoldRig(FoldSpecification(model: makeModel(scaling: .none, drawn: kind))).run(twins)
        #expect(Set(values.map { $0.member("value") }).count == 4)
    }

    @Test func noStreamReadsAnothersState() throws {
        let specification = specification()
        let records = mixture(1_200, streams: 6).filter { $0.key != nil }
        let together = try FoldRig(specification).run(records, batches: [97])
        for stream in 0..<6 {
            let key = Array("stream-\(stream)".utf8)
            let alone = try FoldRig(specification).run(records.filter { $0.key == key }, batches: [5])
            #expect(alone == together.filter { $0.key == key })
        }
    }

    @Test func outputsComeInTheOrderOfTheInput() throws {
        let records = mixture(800, partitions: 3)
        let outputs = try FoldRig(specification()).run(records, batches: [333])
        for partition in 0..<3 {
            let offsets: [Int] = outputs.compactMap { output in
                if output.topic == .predictions { return output.partition == partition ? output.offset : nil }
                let source = output.header("sluice-source")?.split(separator: "/").map(String.init) ?? []
                return source.count == 3 && source[1] == "\(partition)" ? Int(source[2]) : nil
            }
            let answered = records.filter { $0.partition == partition && ($0.value != nil || $0.key == nil) }
            #expect(offsets == answered.map { Int($0.offset) }, "every input has exactly one outcome")
        }
    }

    @Test func everyKindOfBoundaryResetsWhereItIsDeclared() throws {
        let day = DailyBoundary(
            timeOfDay: 0, transitions: [.init(since: 0, offset: 0)], zone: "UTC", dataVersion: "test")
        let policy = BoundaryPolicy(sequenceChange: true, gap: 1_000_000, every: 4, daily: day)
        let midnight: Int64 = 19_700 * 86_400_000
        let records = numbered([
            Record("s", midnight - 900_000, 1),  // 0, first
            Record("s", midnight - 899_000, 2),  // 1
            Record("s", midnight - 898_000, 3, more: ",\"boundary\":\"start\""),  // 0, field
            Record("s", midnight - 897_000, 4, more: ",\"boundary\":\"end\""),  // 1, resets behind it
            Record("s", midnight - 896_000, 5),  // 0
            Record("s", midnight - 895_000, 6, more: ",\"boundary\":\"end\"", boundary: "start"),  // 0, the header wins
            Record("s", midnight - 894_000, 7),  // 1, so the field did not end it
            Record("s", midnight - 893_000, 8, more: ",\"sequence\":\"x\""),  // 0, sequence
            Record("s", midnight - 892_000, 9, more: ",\"sequence\":\"x\""),  // 1
            Record("s", midnight, 10, more: ",\"sequence\":\"x\""),  // 0, daily
            Record("s", midnight + 1_000_000, 11, more: ",\"sequence\":\"x\""),  // 1, as long as the gap is no gap
            Record("s", midnight + 2_000_001, 12, more: ",\"sequence\":\"x\""),  // 0, gap
            Record("s", midnight + 2_000_002, 13, more: ",\"sequence\":\"x\""),  // 1
            Record("s", midnight + 2_000_003, 14, more: ",\"sequence\":\"x\""),  // 2
            Record("s", midnight + 2_000_004, 15, more: ",\"sequence\":\"x\""),  // 3
            Record("s", midnight + 2_000_005, 16, more: ",\"sequence\":\"x\""),  // 0, every
        ])
        let expected = [0, 1, 0, 1, 0, 0, 1, 0, 1, 0, 1, 0, 1, 2, 3, 0]
        let specification = FoldSpecification(model: makeModel(scaling: .none), boundaries: policy)
        let rig = try FoldRig(specification)
        let outputs = try rig.run(records)
        #expect(outputs.map(\.step) == expected.map { $0 })
        // Without scaling a boundary makes the state what it is for a stream of its own.
        var segment: [Record] = []
        for (index, step) in expected.enumerated() {
            segment = step == 0 ? [records[index]] : segment + [records[index]]
            let fresh = try FoldRig(FoldSpecification(model: makeModel(scaling: .none))).run(segment)
            #expect(fresh.last?.member("value") == outputs[index].member("value"), "\(index)")
        }
        let header = try #require(try rig.state().find("s").map { rig.state().table[$0].header.pointee })
        #expect(header.resets == 7 && header.boundaryCause == .every && header.boundaryOffset == 15)
    }

    @Test func aBoundaryIsCountedWhereItTakesEffect() throws {
        let rig = try FoldRig(specification())
        let records = numbered([
            Record("s", 0, 1), Record("s", 1, 1, boundary: "end"), Record("s", 2, 1),
            Record("s", 3, 1, boundary: "start"),
        ])
        try rig.run(records)
        #expect(rig.report.boundaries == 2 && rig.report.predictions == 4)
    }

    @Test func statisticsOutliveABoundaryAndEndWithTheStream() throws {
        let rig = try FoldRig(specification())
        try rig.run(
            numbered((0..<20).map { Record("s", Int64($0), Float($0)) } + [Record("s", 20, 1, boundary: "start")]))
        let slot = try #require(try rig.state().find("s"))
        let scalars = SlotScalars(base: rig.state().table[slot].scalars, layout: rig.fold.layout)
        #expect(scalars.statistics(0).count == 21 && scalars.header.pointee.step == 1)
        try rig.run([.end("s")])
        #expect(try rig.state().find("s") == nil)
        let again = try rig.run([Record("s", 21, 4)])
        let fresh = try FoldRig(specification()).run([Record("s", 21, 4)])
        #expect(again == fresh)
    }

    @Test func aStreamThatEndsWithinABatchStartsAnewInIt() throws {
        let records = numbered([
            .end("s"), Record("s", 0, 1), Record("s", 1, 2), .end("s"), .end("s"), Record("s", 2, 3), Record("t", 2, 3),
            .end("t"),
        ])
        for batches in [[1], [2], [3], [8]] {
            let rig = try FoldRig(specification())
            #expect(try rig.run(records, batches: batches).map(\.step) == [0, 1, 0, 0])
            #expect(try rig.state().find("t") == nil)
            #expect(rig.state().table.count == 1)
        }
    }

    @Test func aBatchMayHoldOneStreamAlone() throws {
        let records = numbered((0..<4_096).map { Record("s", Int64($0), Float($0 % 100)) })
        let rig = try FoldRig(FoldSpecification(model: makeModel()))
        #expect(try rig.run(records, batches: [4_096]).map(\.step) == (0..<4_096).map { $0 })
    }

    @Test func inputsFoldedAgainGiveNoOutput() throws {
        let records = mixture(300)
        let reference = try FoldRig(specification())
        let expected = try reference.run(records, batches: [50])
        let rig = try FoldRig(specification())
        rig.state().liveFrom = 150
        let outputs = try rig.run(records, batches: [70])
        #expect(outputs == Array(expected.suffix(outputs.count)))
        #expect(outputs.first?.offset ?? 150 >= 150 && outputs.count < expected.count)
        #expect(try rig.snapshot("stream-1") == reference.snapshot("stream-1"))
    }

    @Test func theFencesOfEndMarksDoNotOverflow() throws {
        let input = InputSpecification(source: .field, features: [.init("a"), .init("b")])
        let rig = try FoldRig(specification(), input: input)
        let largest = Offset.max
        let row = """
            {"stream":"s","time":5,"values":{"a":1,"b":2},"boundary":"end",\
            "source":{"topic":"t","partition":0,"offset":\(largest)}}
            """
        let outputs = try rig.run([Record(key: nil, value: Array(row.utf8))])
        #expect(outputs.first?.header("sluice-error") == "source-invalid")
    }

    @Test func aResetSetsBackWhatItNames() throws {
        let rig = try FoldRig(specification())
        let streams = ["a", "a/1", "a/2", "b"]
        func observe(_ time: Int64) throws -> [Int?] {
            try rig.run(
                streams.enumerated().map { index, stream in
                    var record = Record(stream, time, 3)
                    record.offset = 4 * time + Int64(index)
                    return record
                }
            ).map(\.step)
        }
        #expect(try observe(0) == [0, 0, 0, 0])
        #expect(try observe(1) == [1, 1, 1, 1])
        #expect(try rig.state().reset(.stream("a"), at: 8) == 1)
        #expect(try observe(2) == [0, 2, 2, 2])
        #expect(try rig.state().reset(.prefix("a/"), at: 12) == nil, "on its way")
        #expect(try observe(3) == [1, 0, 0, 3])
        #expect(try rig.state().reset(.stream("nobody"), at: 16) == 0)
        _ = try rig.state().reset(.prefix(""), at: 16)
        #expect(try observe(4) == [0, 0, 0, 0])
        let header = try #require(try rig.state().find("a").map { rig.state().table[$0].header.pointee })
        #expect(header.boundaryCause == .command && header.boundaryOffset == 16 && header.resets == 2)
    }
}
