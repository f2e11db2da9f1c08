import SluiceService
import Testing

@Suite struct LatencyHistogramTests {
    @Test func quantilesAreRightToTheWidthOfABucket() {
        var histogram = LatencyHistogram()
        for microseconds in 1...10_000 { histogram.add(Int64(microseconds) * 1_000, count: 3) }
        #expect(histogram.count == 30_000 && histogram.largestNanoseconds == 10_000_000)
        for (share, exact) in [(0.5, 5.0), (0.9, 9.0), (0.99, 9.9)] {
            #expect((exact...exact * 1.0906).contains(histogram.quantile(share)), "\(share)")
        }
        #expect(histogram.quantile(1) == 10)
    }

    @Test func theSmallestAndTheLargestValuesAreCounted() {
        var histogram = LatencyHistogram()
        histogram.add(0, count: 1)
        histogram.add(1 << 50, count: 1)
        #expect(histogram.buckets.reduce(0, +) == 2)
        #expect(histogram.quantile(0.5) == 0.015625 && histogram.quantile(1) == Double(1 << 50 as Int64) / 1e6)
    }
}
