import Testing

@testable import SluiceTraining

@Suite struct BatchPlanTests {
    /// One letter per row: series, rows, lane, "*" where it resets.
    private func table(_ plan: BatchPlan) -> [[String]] {
        plan.batches.map { batch in
            batch.map {
                "\($0.segment.series):\($0.rows.lowerBound)..\($0.rows.upperBound)@\($0.lane)\($0.resets ? "*" : "")"
            }
        }
    }

    private let segments = [
        Segment(series: 0, rows: 0..<9), Segment(series: 0, rows: 9..<11), Segment(series: 1, rows: 0..<5),
    ]

    @Test func lanesCarryChunksInOrderAndResetOneRowAlone() {
        #expect(
            table(.lanes(segments, chunk: 4, rows: 2)) == [
                ["0:0..4@0*", "0:9..11@1*"], ["0:4..8@0", "1:0..4@1*"], ["0:8..9@0", "1:4..5@1"],
            ])
    }

    @Test func lanesThatRunOutMakeSmallerBatches() {
        #expect(
            table(.lanes([segments[1], segments[2]], chunk: 2, rows: 8)) == [
                ["0:9..11@0*", "1:0..2@1*"], ["1:2..4@1"], ["1:4..5@1"],
            ])
    }

    /// Chunks 0:0..4, 0:4..8, 0:8..9, 0:9..11, 1:0..4, 1:4..5.
    @Test func stridedRowsGoOnFromTheChunkABatchEarlierWhateverItsStream() {
        #expect(
            table(.strided(segments, chunk: 4, rows: 2)) == [
                ["0:0..4@0*", "0:4..8@1*"], ["0:8..9@0", "0:9..11@1*"], ["1:0..4@0*", "1:4..5@1"],
            ])
        // The last, smaller batch leaves the other rows as they were.
        #expect(table(.strided(segments, chunk: 4, rows: 5))[1] == ["1:4..5@0"])
    }

    @Test func acrossSequencesChainsTheChunksOfABatchAndGoesOnInTheNext() {
        #expect(
            table(.acrossSequences(segments, chunk: 4, rows: 2)) == [
                ["0:0..8@0*"], ["0:8..9@0", "0:9..11@1*"], ["1:0..5@0*"],
            ])
        #expect(
            table(.acrossSequences(segments, chunk: 2, rows: 3)) == [
                ["0:0..6@0*"], ["0:6..9@0", "0:9..11@1*"], ["1:0..5@0*"],
            ])
        #expect(
            table(.acrossSequences([segments[1], segments[2], segments[0]], chunk: 3, rows: 2)) == [
                ["0:9..11@0*", "1:0..3@1*"], ["1:3..5@1", "0:0..3@0*"], ["0:3..9@0"],
            ])
    }

    @Test func perBatchResetsEveryChunkAndFillsEveryRow() {
        #expect(
            table(.perBatch(segments, chunk: 4, rows: 4)) == [
                ["0:0..4@0*", "0:4..8@1*", "0:8..9@2*", "0:9..11@3*"], ["1:0..4@0*", "1:4..5@1*"],
            ])
    }

    @Test func chunksWithoutAScoredRowAreLeftOutWhereStateIsNotCarried() {
        let segment = Segment(series: 0, rows: 0..<9, scoredFrom: 5)
        #expect(table(.perBatch([segment], chunk: 4, rows: 4)) == [["0:4..8@0*", "0:8..9@1*"]])
        #expect(table(.lanes([segment], chunk: 4, rows: 4)).count == 3)
    }

    @Test func everyEpochSeesEveryRowOnceInAnOrderOfItsOwn() {
        let segments = (0..<10).map { Segment(series: $0, rows: 0..<(3 * $0 + 1)) }
        var configuration = TrainingConfiguration()
        (configuration.chunk, configuration.rows) = (4, 3)
        for policy in CarryPolicy.allCases {
            let plans = (0..<3).map { BatchPlan.epoch($0, of: segments, policy: policy, configuration) }
            for plan in plans {
                let seen = plan.batches.flatMap { $0 }.flatMap { row in row.rows.map { [row.segment.series, $0] } }
                #expect(Set(seen).count == seen.count)
                #expect(seen.count == segments.reduce(0) { $0 + $1.rows.count })
                #expect(plan.batches.allSatisfy { $0.count <= 3 && Set($0.map(\.lane)).count == $0.count })
            }
            #expect(plans[0] != plans[1])
            #expect(plans[0] == BatchPlan.epoch(0, of: segments, policy: policy, configuration))
            configuration.seed = 1
            #expect(plans[0] != BatchPlan.epoch(0, of: segments, policy: policy, configuration))
            configuration.seed = 0
        }
    }

    @Test func stridedOrderIsThatOfTheDataInEveryEpoch() {
        var configuration = TrainingConfiguration()
        (configuration.chunk, configuration.rows, configuration.order) = (4, 2, .strided)
        for epoch in 0..<3 {
            let plan = BatchPlan.epoch(epoch, of: segments, policy: .acrossBatches, configuration)
            #expect(plan == .strided(segments, chunk: 4, rows: 2))
        }
    }

    @Test(arguments: [CarryPolicy.acrossBatches, .acrossSequences])
    func carriedRowsGoOnWhereTheirLaneStopped(policy: CarryPolicy) {
        let segments = (0..<20).map { Segment(series: $0, rows: 0..<(1 + $0 * 7 % 13)) }
        var last: [Int: BatchPlan.Row] = [:]
        let plan = BatchPlan.inOrder(segments, policy: policy, order: .lanes, chunk: 3, rows: 4)
        for row in plan.batches.flatMap({ $0 }) {
            if row.resets {
                #expect(row.rows.lowerBound == row.segment.rows.lowerBound)
                #expect(last[row.lane].map { $0.rows.upperBound == $0.segment.rows.upperBound } ?? true)
            } else {
                #expect(last[row.lane]?.segment == row.segment)
                #expect(last[row.lane]?.rows.upperBound == row.rows.lowerBound)
            }
            last[row.lane] = row
        }
    }

    @Test func packedRowsAreLongestFirstWithoutPadding() {
        var packed = PackedBatch()
        packed.pack(BatchPlan.lanes(segments, chunk: 4, rows: 3).batches[0])
        #expect(packed.rows.map(\.rows.count) == [4, 4, 2])
        #expect(packed.rows.map(\.lane) == [0, 2, 1])
        #expect(packed.active == [3, 3, 2, 2])
        #expect(packed.offsets == [0, 3, 6, 8])
        #expect(packed.count == 10)
    }
}
