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
    /// From arrival to produced.
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
        latencyP50Milliseconds = totals.latencies.quantile(0.5)
        latencyP99Milliseconds = totals.latencies.quantile(0.99)
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
