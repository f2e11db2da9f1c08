import DequeModule
import SluiceCore
import SluiceEngine

/// What the demo says at its end, honestly.
package struct DemoSummary: Sendable, Codable {
    package var observations: Int
    package var predictions: Int
    package var boundaries: Int
    package var resets: Int
    package var rejects: Int
    package var retrainings: Int
    /// Partitions that went over to a retrained model, each counted once a time.
    package var swaps: Int
    /// Mean absolute error one step ahead over the recorded series, of the model and of "as the last value".
    package var forecastError: Double?
    package var naiveError: Double?
    package var judged: Int
    /// From a batch's arrival to its outputs handed over, weighted by records.
    package var latencyP50Milliseconds: Double?
    package var latencyP99Milliseconds: Double?

    package init(_ ledger: DemoLedger, _ totals: MetricsObserver.Totals, series: String) {
        observations = ledger.observations
        predictions = ledger.predictions
        boundaries = totals.report.boundaries
        resets = totals.resets
        rejects = totals.report.rejects
        retrainings = totals.retrainings
        swaps = totals.swaps
        let errors = ledger.errors(prefix: series)
        judged = errors.count
        if errors.count > 0 {
            forecastError = errors.forecast / Double(errors.count)
            naiveError = errors.naive / Double(errors.count)
        }
        latencyP50Milliseconds = Self.percentile(0.5, totals.latencies)
        latencyP99Milliseconds = Self.percentile(0.99, totals.latencies)
    }

    private static func percentile(_ share: Double, _ latencies: Deque<(nanoseconds: Int64, records: Int)>) -> Double? {
        let ordered = latencies.sorted { $0.nanoseconds < $1.nanoseconds }
        let wanted = share * Double(ordered.reduce(0) { $0 + $1.records })
        var seen = 0
        for (nanoseconds, records) in ordered {
            seen += records
            if Double(seen) >= wanted { return Double(nanoseconds) / 1e6 }
        }
        return nil
    }

    /// The verdict on the naive forecast.
    package var verdict: String {
        guard let forecastError, let naiveError, naiveError > 0 else {
            return "no forecast could be judged yet"
        }
        let percent = Int((100 * (1 - forecastError / naiveError).magnitude).rounded())
        return forecastError < naiveError
            ? "naive beaten: the error is \(percent) % smaller" : "naive NOT beaten: the error is \(percent) % larger"
    }
}
