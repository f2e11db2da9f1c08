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
/// that is all of the load is measured with them.
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
            while await !runtime.backend.readiness().holds { try await Task.sleep(for: .milliseconds(50)) }
            let cluster = try await onThread { try service.cluster() }
            let configuration = service.configuration
            let reading = Task {
                try await onThread {
                    try traffic.read(configuration.output.topic, cluster.makeReader())
                }
            }
            let feeding = Task {
                try await onThread {
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
        _ result: inout Result, seconds: Double, latencies: () -> (LatencyHistogram, isBehind: Bool)
    ) async throws {
        let processors = ProcessorWatch()
        defer { processors.stop() }
        var steady = SteadyLatencies()
        let end = ContinuousClock.now + .seconds(seconds)
        while ContinuousClock.now < end {
            try await Task.sleep(for: .seconds(min(SteadyLatencies.part, seconds)))
            let (all, isBehind) = latencies()
            steady.end(all, slow: processors.counts.slow, isBehind: isBehind)
        }
        (result.service, result.steady) = (steady.all, steady.steady)
        let (all, slow) = processors.counts
        result.slowShare = Double(slow) / Double(max(1, all))
    }
}

/// What is sent, at a steady rate, and what comes back.
private final class LoadTraffic: Sendable {
    /// Seconds between two turns of the feeder, which are for it what `linger.ms` is for other clients: 5 ms are what
    /// librdkafka has. What a request takes of the broker's time it takes from the service's.
    private static let tick = 0.005
    /// Records that a feeder without a rate is ahead of the predictions.
    private static let ahead = 50_000

    private let rate: Double?
    private let values: [String]
    private let isStopping = Atomic<Bool>(false)
    private let sent = Atomic<Int>(0)
    private let histogram = Mutex(LatencyHistogram())

    init(_ settings: PipelineBench.Settings, rate: Double?) {
        self.rate = rate
        var generator = SplitMix64(state: 3)
        let names = BenchModel.names(settings.features)
        values = (0..<1_000).map { _ in
            names.map { "\"\($0)\":\((generator.uniform(-2, 2) * 10_000).rounded() / 10_000)" }.joined(separator: ",")
        }
    }

    var latencies: LatencyHistogram { histogram.withLock { $0 } }
    func forget() { histogram.withLock { $0 = LatencyHistogram() } }
    /// Whether more records wait to be predicted than come in this time.
    func ahead(of predicted: Int, seconds: Double) -> Bool {
        guard let rate else { return false }
        return sent.load(ordering: .relaxed) - predicted > max(1_000, Int(rate * seconds))
    }
    func stop() { isStopping.store(true, ordering: .relaxed) }

    private static func now() -> EpochMilliseconds { EpochMilliseconds(Date().timeIntervalSince1970 * 1_000) }

    func feed(_ producer: any LogProducer, _ partitions: Int, predicted: () -> Int) throws {
        defer { producer.close() }
        var batch = OutputBatch()
        let began = Date()
        var sent = 0
        while !isStopping.load(ordering: .relaxed) {
            let due = rate.map { Int(-began.timeIntervalSinceNow * $0) } ?? predicted() + Self.ahead
            while sent < due && batch.entries.count < 10_000 {
                // When it was due: a feeder that was late does not make the service look fast.
                let time = rate.map { EpochMilliseconds((began.timeIntervalSince1970 + Double(sent) / $0) * 1_000) }
                append(sent, time ?? Self.now(), partitions, &batch)
                sent += 1
            }
            while try !producer.produce(&batch), !isStopping.load(ordering: .relaxed) {
                try producer.poll(timeoutMilliseconds: 1)
            }
            try producer.poll(timeoutMilliseconds: 0)
            self.sent.store(sent, ordering: .relaxed)
            batch.removeAll()
            Thread.sleep(forTimeInterval: Self.tick)
        }
    }

    /// A stream's records go to a partition that is named: one of many has room for more while others wait.
    private func append(_ number: Int, _ time: EpochMilliseconds, _ partitions: Int, _ batch: inout OutputBatch) {
        let stream = number % LoadBench.streams
        // In pieces, none of which is made anew but the numbers: the feeder takes its time from the service's cores.
        let start = batch.arena.count
        batch.arena.append("sensor-")
        batch.arena.append(String(stream))
        let key = start..<batch.arena.count
        batch.arena.append("{\"time\":")
        batch.arena.append(String(time))
        batch.arena.append(",\"values\":{")
        batch.arena.append(values[number % values.count])
        batch.arena.append("}}")
        batch.entries.append(
            OutputBatch.Entry(
                topic: .observations, partition: Int32(stream % partitions), key: key,
                value: key.upperBound..<batch.arena.count))
    }

    /// Reads the first partition, which is like the others: what the reader takes of the processors it takes from the
    /// service.
    func read(_ topic: String, _ reader: any LogReader) throws {
        defer { reader.close() }
        try reader.assign([TopicPartition(topic: topic, partition: 0): 0])
        while !isStopping.load(ordering: .relaxed) {
            try reader.poll(timeoutMilliseconds: 20, limit: 4_096) { _, record in
                guard record.offset % LoadBench.sampling == 0, let sent = Self.time(record.value) else { return }
                let elapsed = max(0, Self.now() - sent)
                histogram.withLock { $0.add(elapsed * 1_000_000, count: 1) }
            }
        }
    }

    /// The prediction's time, which is the observation's.
    private static func time(_ value: UnsafeRawBufferPointer) -> EpochMilliseconds? {
        let text = String(decoding: value, as: UTF8.self)
        guard let start = text.range(of: "\"time\":\"")?.upperBound, let end = text[start...].firstIndex(of: "\"")
        else { return nil }
        return Timestamp.parse(String(text[start..<end]))
    }
}
