package import Logging
import SluiceCore
import SluiceEngine

/// Times the whole service on a broker: a new application reads a topic from its beginning and predicts every record.
package enum PipelineBench {
    package struct Settings: Sendable {
        package var bootstrap, topic: String
        /// Records to be predicted, at least.
        package var count: Int
        package var delivery: String
        package var features, hidden, layers, workers, repetitions: Int
        /// Of the configuration, over all others.
        package var set: [(path: String, value: String)]

        package init(
            bootstrap: String, topic: String, count: Int, delivery: String, features: Int, hidden: Int, layers: Int,
            workers: Int, repetitions: Int, set: [(path: String, value: String)] = []
        ) {
            self.set = set
            (self.bootstrap, self.topic, self.count, self.delivery) = (bootstrap, topic, count, delivery)
            (self.features, self.hidden, self.layers) = (features, hidden, layers)
            (self.workers, self.repetitions) = (workers, repetitions)
        }
    }

    package struct Result: Sendable {
        package var settings: Settings
        /// Of each repetition: from the arrival of the first record to the commit behind the last.
        package var rates: [Double] = []
        /// Predicted in the last repetition.
        package var records = 0
        /// Streams with a state behind the last repetition.
        package var streams = 0

        package var recordsPerSecond: Double { rates.max() ?? 0 }
        /// Without the first of several, which finds everything cold.
        package var median: Double {
            let warm = rates.dropFirst(rates.count > 1 ? 1 : 0).sorted()
            return (warm[warm.count / 2] + warm[(warm.count - 1) / 2]) / 2
        }
    }

    /// - Parameter progress: told the number of predictions, in which repetition.
    /// - Throws: `topic` where it holds less than is to be read; `input-invalid` where records are rejected, or where
    ///   what was written is not what it must be; `CancellationError`.
    package static func run(
        _ settings: Settings, logger: Logger, progress: (Int, Int) -> Void
    ) async throws -> Result {
        var result = Result(settings: settings)
        var first: OutputDigests?
        for repetition in 0..<settings.repetitions {
            let service = try BenchService(
                settings, input: settings.topic, output: settings.topic + "-out", logger: logger)
            let outputs = PipelineOutputs(service)
            let before = try await onThread { try outputs.ends() }
            try await service.run(ownsTopics: false) { runtime in
                try await follow(service, runtime, settings) { progress($0, repetition) }
                result.streams = await runtime.backend.views().reduce(0) { $0 + $1.view.streams }
            } after: { runtime in
                let totals = runtime.observer.current
                result.rates.append(try rate(totals, settings))
                result.records = totals.report.predictions
            }
            let records = result.records
            let digests = try await onThread { try outputs.check(since: before, predictions: records) }
            if let place = first?.difference(from: digests) {
                throw SluiceError(
                    .invalidInput,
                    "partition \(place.partition) has other predictions than in the first run, among the first "
                        + "\(place.outputs)")
            }
            first = first ?? digests
        }
        return result
    }

    /// - Throws: `input-invalid` where records were rejected: they cost less than a prediction.
    static func checkRejects(_ totals: MetricsObserver.Totals, of source: String, _ settings: Settings) throws {
        let report = totals.report
        guard report.rejects > 0 else { return }
        throw SluiceError(
            .invalidInput, "\(report.rejects) of \(report.records) records of \(source) were rejected",
            remedy: "the features must be at /values/f0 to /values/f\(settings.features - 1): see --features")
    }

    private static func rate(_ totals: MetricsObserver.Totals, _ settings: Settings) throws -> Double {
        let report = totals.report
        try checkRejects(totals, of: settings.topic, settings)
        guard let first = totals.firstArrivalNanoseconds, let last = totals.lastCommitNanoseconds, last > first else {
            throw SluiceError(.invalidInput, "nothing was committed")
        }
        return Double(report.predictions) * 1e9 / Double(last - first)
    }

    /// Looks for predictions, two hundred a second, of which none brings a new one before the rest is given up.
    private static let quietLooksMaximum = 12_000

    /// Waits until enough is predicted.
    private static func follow(
        _ service: BenchService, _ runtime: ServeRuntime, _ settings: Settings, _ progress: (Int) -> Void
    ) async throws {
        var (known, quietLooks) = (0, 0)
        while true {
            try Task.checkCancellation()
            try service.checkRunning()
            let report = runtime.observer.latest.report
            let done = report.predictions + report.rejects
            if done >= settings.count { return }
            (known, quietLooks) = done > known ? (done, 0) : (known, quietLooks + 1)
            guard quietLooks < quietLooksMaximum else {
                throw SluiceError(
                    .topic, "\(done) of \(settings.count) records came, and none since a minute",
                    remedy: "look at the broker, and at the log with SLUICE_LOG=info")
            }
            if quietLooks == 0 { progress(done) }
            try await Task.sleep(for: .milliseconds(5))
        }
    }
}
