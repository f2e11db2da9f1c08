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
        /// Share of what the service can do, and records a second: wanted, sent, and predicted.
        package var load, rate: Double
        package var fed = 0.0
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
            let output = service.configuration.output.topic
            async let reading: Void = traffic.run { try traffic.read(output, cluster.makeReader()) }
            async let feeding: Void = traffic.run {
                try traffic.feed(service.makeFeeder(), cluster.inputPartitions) {
                    runtime.observer.latest.report.predictions
                }
            }
            let measured: Swift.Result<Void, any Error>
            do {
                measured = .success(try await measure(&result, traffic, service, runtime, seconds: seconds))
            } catch {
                measured = .failure(error)
            }
            // Their topics are taken away next, so both have ended then.
            traffic.stop()
            _ = await (reading, feeding)
            try measured.get()
            try traffic.check()
        } after: { _ in
        }
        return result
    }

    private static func measure(
        _ result: inout Result, _ traffic: LoadTraffic, _ service: BenchService, _ runtime: ServeRuntime,
        seconds: Double
    ) async throws {
        func predictions() throws -> Int {
            try service.checkRunning()
            try traffic.check()
            return runtime.observer.latest.report.predictions
        }
        try await Task.sleep(for: .seconds(2))
        // What waited while the topic was new is no load.
        let patience = ContinuousClock.now + .seconds(10)
        while try traffic.ahead(of: predictions(), seconds: 0.05), ContinuousClock.now < patience {
            try await Task.sleep(for: .milliseconds(50))
        }
        runtime.observer.forgetLatencies()
        traffic.forget()
        let (began, sent, before) = try (ContinuousClock.now, traffic.sent, predictions())
        try await watch(&result, seconds: seconds) {
            let isBehind = try traffic.ahead(of: predictions(), seconds: 0.03)
            return (runtime.observer.current.latencies, isBehind)
        }
        try PipelineBench.checkRejects(runtime.observer.current, of: "the feeder", result.settings)
        let elapsed = (.now - began) / .seconds(1)
        result.fed = Double(traffic.sent - sent) / elapsed
        result.achieved = try Double(predictions() - before) / elapsed
        result.endToEnd = traffic.latencies
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
