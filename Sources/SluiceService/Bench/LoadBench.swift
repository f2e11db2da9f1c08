import Foundation
package import Logging
import SluiceAdmin
import SluiceConfiguration
package import SluiceCore
import SluiceEngine
import SluiceLog
import Synchronization

/// How long an observation takes at a given load: an application of its own is fed at a rate, each record with the time
/// at which it was due, and its predictions are read back. Feeder and reader may share the machine with it, so the rate
/// that is all of the load is measured with them. At a rate they have the lowest priority: a service does not wait for
/// those of others, which are on other machines.
package enum LoadBench {
    package struct Result: Sendable {
        package var settings: PipelineBench.Settings
        /// Share of what the service can do, and records a second: wanted, and predicted.
        package var load, rate: Double
        package var achieved = 0.0
        /// From arrival to produced, one value a record.
        package var service = LatencyHistogram()
        /// From the feeder through both topics to a reader, of one record in `sampling` of the first partition;
        /// whole milliseconds.
        package var endToEnd = LatencyHistogram()
        /// Of `service`, what was produced while the processors kept their pace.
        package var steady = LatencyHistogram()
        /// Share of the looks that found less than two fifths of it.
        package var slowShare = 0.0
    }

    package static let sampling: Offset = 4
    /// That are fed, in turn.
    package static let streams = 10_000

    /// What the service can do while it is fed and read: records a second, with a feeder that is always a little ahead.
    package static func capacity(
        _ settings: PipelineBench.Settings, seconds: Double, logger: Logger
    ) async throws -> Double {
        try await run(settings, load: 1, rate: nil, seconds: seconds, logger: logger).achieved
    }

    /// - Parameters:
    ///   - load: share of the capacity.
    ///   - rate: records a second; nil: as fast as they are predicted.
    ///   - seconds: of measuring, behind two of warming up.
    package static func run(
        _ settings: PipelineBench.Settings, load: Double, rate: Double?, seconds: Double, logger: Logger
    ) async throws -> Result {
        let service = try BenchService(settings, input: nil, output: nil, logger: logger)
        let traffic = LoadTraffic(settings, rate: rate)
        var result = Result(settings: settings, load: load, rate: rate ?? 0)
        try await service.run(ownsTopics: true) { runtime in
            while await !runtime.backend.readiness().holds {
                try service.checkRunning()
                try await Task.sleep(for: .milliseconds(50))
            }
            let cluster = try await onThread { try service.cluster() }
            let configuration = service.configuration
            let reading = Task {
                try await onThread {
                    traffic.giveWay()
                    try traffic.read(configuration.output.topic, cluster.makeReader())
                }
            }
            let feeding = Task {
                try await onThread {
                    traffic.giveWay()
                    try traffic.feed(service.makeFeeder(), cluster.inputPartitions) {
                        runtime.observer.latest.report.predictions
                    }
                }
            }
            defer { traffic.stop() }
            try await Task.sleep(for: .seconds(2))
            // What waited while the topic was new is no load.
            for _ in 0..<200 where traffic.ahead(of: runtime.observer.latest.report.predictions, seconds: 0.05) {
                try await Task.sleep(for: .milliseconds(50))
            }
            runtime.observer.forgetLatencies()
            traffic.forget()
            let (began, before) = (ContinuousClock.now, runtime.observer.latest.report.predictions)
            try await watch(&result, seconds: seconds) {
                try service.checkRunning()
                let current = runtime.observer.current
                return (current.latencies, traffic.ahead(of: current.report.predictions, seconds: 0.03))
            }
            try PipelineBench.checkRejects(runtime.observer.current, of: "the feeder", settings)
            let predicted = runtime.observer.latest.report.predictions - before
            result.achieved = Double(predicted) / ((.now - began) / .seconds(1))
            result.endToEnd = traffic.latencies
            traffic.stop()
            try await feeding.value
            try await reading.value
        } after: { _ in
        }
        return result
    }

    /// Waits while records are produced, and tells those of undisturbed parts of a second from the others.
    private static func watch(
        _ result: inout Result, seconds: Double, latencies: () throws -> (LatencyHistogram, isBehind: Bool)
    ) async throws {
        let processors = ProcessorWatch()
        defer { processors.stop() }
        var steady = SteadyLatencies()
        let end = ContinuousClock.now + .seconds(seconds)
        while ContinuousClock.now < end {
            try await Task.sleep(for: .seconds(min(SteadyLatencies.part, seconds)))
            let (all, isBehind) = try latencies()
            steady.end(all, slow: processors.counts.slow, isBehind: isBehind)
        }
        (result.service, result.steady) = (steady.all, steady.steady)
        let (all, slow) = processors.counts
        result.slowShare = Double(slow) / Double(max(1, all))
    }
}
