import SluiceService
import Testing

@Suite struct LatencyHistogramTests {
    @Test func quantilesAreRightToTheWidthOfABucket() throws {
        var histogram = LatencyHistogram()
        for microseconds in 1...10_000 { histogram.add(Int64(microseconds) * 1_000, count: 3) }
        #expect(histogram.count == 30_000 && histogram.largestNanoseconds == 10_000_000)
        for (share, exact) in [(0.5, 5.0), (0.9, 9.0), (0.99, 9.9)] {
            #expect((exact...exact * 1.0906).contains(try #require(histogram.quantile(share))), "\(share)")
        }
        #expect(histogram.quantile(1) == 10)
    }

    @Test func nothingHasNoQuantile() {
        #expect(LatencyHistogram().quantile(0.99) == nil)
    }

    @Test func theSmallestAndTheLargestValuesAreCounted() {
        var histogram = LatencyHistogram()
        histogram.add(0, count: 1)
        histogram.add(1 << 50, count: 1)
        #expect(histogram.buckets.reduce(0, +) == 2)
        #expect(histogram.quantile(0.5) == 0.015625 && histogram.quantile(1) == Double(1 << 50 as Int64) / 1e6)
    }

    @Test func whatCameSinceIsWhatTheLaterHasMore() {
        var (earlier, expected) = (LatencyHistogram(), LatencyHistogram())
        for milliseconds in 1...40 { earlier.add(Int64(milliseconds) * 1_000_000, count: 7) }
        var later = earlier
        for microseconds in 1...9_000 {
            later.add(Int64(microseconds) * 1_000, count: 2)
            expected.add(Int64(microseconds) * 1_000, count: 2)
        }
        var found = LatencyHistogram()
        found.add(later, since: earlier)
        #expect(found.count == 18_000 && found.buckets == expected.buckets)
        #expect((9_000_000...9_815_400).contains(found.largestNanoseconds))
        #expect(found.quantile(0.5) == expected.quantile(0.5))
    }

    /// One look in a part is an interrupt; three are a clock that has dropped, and its backlog is worked off behind it.
    /// A backlog without one is the service's.
    @Test func partsBehindASlowProcessorAreNoMeasureOfTheService() {
        let slow = [0, 2, 2, 5, 5, 5, 5, 5, 6, 9, 9, 9, 9, 9]
        let isBehind = [false, false, true, true, true, true, false, false, false, false, false, true, true, false]
        let isSteady = [true, true, true, false, false, false, false, true, true, false, false, false, false, true]
        var (all, expected, found) = (LatencyHistogram(), LatencyHistogram(), SteadyLatencies())
        for part in slow.indices {
            all.add(1_000_000 << part, count: 10)
            if isSteady[part] { expected.add(1_000_000 << part, count: 10) }
            found.end(all, slow: slow[part], isBehind: isBehind[part])
        }
        #expect(found.all.buckets == all.buckets)
        #expect(found.steady.buckets == expected.buckets)
    }

    /// A look is a chain of multiplications, so not every one can be slower than the fastest.
    @Test func looksAtTheProcessorsAreCounted() async throws {
        let watch = ProcessorWatch()
        try await eventually("it has looked") { watch.counts.all >= 5 }
        #expect(watch.counts.slow < watch.counts.all)
        watch.stop()
    }
}
