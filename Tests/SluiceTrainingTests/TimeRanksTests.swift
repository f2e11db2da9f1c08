import Testing

@testable import SluiceTraining

@Suite struct TimeRanksTests {
    @Test func everyRankIsThatOfTheSortedTimes() throws {
        var times: [Int64] = [.min, .max, 0, -1, 1, 65_535, 65_536, 1 << 48, -(1 << 48), 7, 7, 7]
        var seed: UInt64 = 1
        for _ in 0..<200 {
            seed = seed &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            times.append(Int64(bitPattern: seed) >> Int64(seed % 60))
        }
        let streams = [times[..<50], times[50...]].map { part in
            var series = Synthetic.wave(part.count)
            series.times = Column(part)
            return series
        }
        let ranks = TimeRanks(try Dataset(streams, for: Synthetic.point))
        let sorted = times.sorted()
        #expect(ranks.count == times.count)
        for (rank, time) in sorted.enumerated() {
            #expect(ranks.time(at: rank) == time)
            #expect(ranks.count(before: time) == sorted.firstIndex(of: time))
        }
    }
}
