import Foundation

/// Latencies by octaves from 1/64 of a millisecond on, each in eight; exact in its largest value.
package struct LatencyHistogram: Sendable {
    private static let (smallest, perOctave, bucketCount) = (15_625.0, 8.0, 184)

    package private(set) var count = 0
    package private(set) var largestNanoseconds: Int64 = 0
    package private(set) var buckets = [Int](repeating: 0, count: bucketCount)

    package init() {}

    package mutating func add(_ nanoseconds: Int64, count: Int) {
        let octaves = log2(max(1, Double(nanoseconds) / Self.smallest)) * Self.perOctave
        buckets[min(Self.bucketCount - 1, Int(octaves.rounded(.up)))] += count
        self.count += count
        largestNanoseconds = max(largestNanoseconds, nanoseconds)
    }

    /// What `later` has beyond what it had when it was `earlier`. The largest value is known as its bucket's end only.
    package mutating func add(_ later: LatencyHistogram, since earlier: LatencyHistogram) {
        for bucket in buckets.indices {
            let more = later.buckets[bucket] - earlier.buckets[bucket]
            guard more > 0 else { continue }
            buckets[bucket] += more
            count += more
            largestNanoseconds = max(
                largestNanoseconds, min(later.largestNanoseconds, Int64(Self.milliseconds(bucket) * 1e6)))
        }
    }

    /// The upper end of a bucket, in milliseconds.
    package static func milliseconds(_ bucket: Int) -> Double { smallest * exp2(Double(bucket) / perOctave) / 1e6 }

    /// The buckets with something in them: upper end and count.
    package var filled: [(milliseconds: Double, count: Int)] {
        buckets.indices.filter { buckets[$0] > 0 }.map { (Self.milliseconds($0), buckets[$0]) }
    }

    /// The value below which a share of all lies, to a bucket's width (9 %), in milliseconds; nil where there is none.
    package func quantile(_ share: Double) -> Double? {
        guard count > 0 else { return nil }
        var left = (share * Double(count)).rounded(.up)
        for (bucket, here) in buckets.enumerated() {
            left -= Double(here)
            // The last bucket has no upper end.
            guard left <= 0, bucket < Self.bucketCount - 1 else { continue }
            return min(Self.milliseconds(bucket), Double(largestNanoseconds) / 1e6)
        }
        return Double(largestNanoseconds) / 1e6
    }
}
