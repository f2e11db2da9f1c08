internal import Foundation
internal import SluiceAdmin
internal import SluiceService

extension LoadBench.Result {
    /// What was wanted and had, a line of quantiles for each of the ways, and the histogram of the service's own.
    var lines: [String] {
        func quantiles(_ name: String, _ histogram: LatencyHistogram) -> String {
            let largest = histogram.count > 0 ? Double(histogram.largestNanoseconds) / 1e6 : nil
            let values = [0.5, 0.9, 0.99, 0.999].map { histogram.quantile($0) } + [largest]
            let texts = values.map { $0.map { String(format: "%8.2f", $0) } ?? "       -" }
            return "  \(name)\(texts.joined()) ms of \(histogram.count)"
        }
        return [
            String(format: "%.0f %% load, %.0f of %.0f records/s predicted", load * 100, achieved, rate)
        ] + shortfall + [
            String(repeating: " ", count: 28) + "p50     p90     p99   p99.9     max",
            quantiles("arrival to produced  ", service), quantiles("at the machine's pace", steady),
            quantiles("end to end           ", endToEnd), pace,
        ] + bars
    }

    /// A feeder that had no processor makes a load lighter than it is called.
    private var shortfall: [String] {
        guard fed < 0.97 * rate else { return [] }
        return [String(format: "  fed were %.0f records/s: this is %.0f %% load", fed, load * 100 * fed / rate)]
    }

    private var pace: String {
        let slow = String(format: "%.1f %%", slowShare * 100)
        let part = String(format: "%.1f s", SteadyLatencies.part)
        return "  of the looks at the processors \(slow) found less than two fifths of their best pace; "
            + "the second row is without these parts of \(part) and the backlogs they left"
    }

    private var bars: [String] {
        let buckets = service.buckets
        guard let first = buckets.firstIndex(where: { $0 > 0 }), let last = buckets.lastIndex(where: { $0 > 0 }),
            let most = buckets.max()
        else { return [] }
        return (first...last).map { bucket in
            let width = (50 * buckets[bucket] + most - 1) / most
            return String(format: "  %8.2f ms ", LatencyHistogram.milliseconds(bucket))
                + String(repeating: "#", count: width) + " \(buckets[bucket])"
        }
    }
}

extension LoadBench.Result: JSONWritable {
    func write(to json: inout JSONWriter) {
        json.object {
            $0.member("bench", "latency")
            $0.member("delivery", settings.delivery)
            $0.member("inputs", settings.features)
            $0.member("hidden", settings.hidden)
            $0.member("layers", settings.layers)
            $0.member("streams", LoadBench.streams)
            $0.member("threads", settings.workers)
            $0.member("load", load)
            $0.member("wanted_records_per_second", rate.rounded())
            $0.member("fed_records_per_second", fed.rounded())
            $0.member("records_per_second", achieved.rounded())
            $0.member("processors_slow_share", slowShare)
            for (prefix, histogram) in [("", service), ("steady_", steady), ("end_to_end_", endToEnd)] {
                $0.member(prefix + "records", histogram.count)
                for (name, share) in [("p50", 0.5), ("p90", 0.9), ("p99", 0.99), ("p999", 0.999)] {
                    $0.member(prefix + name + "_ms", histogram.quantile(share))
                }
                $0.member(prefix + "max_ms", histogram.count > 0 ? Double(histogram.largestNanoseconds) / 1e6 : nil)
                $0.member(prefix + "buckets", histogram.filled.map { [$0.milliseconds, Double($0.count)] })
            }
        }
    }
}
