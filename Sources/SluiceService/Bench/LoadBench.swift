import DequeModule
import Foundation
package import Logging
import SluiceAdmin
import SluiceConfiguration
package import SluiceCore
import SluiceEngine
import SluiceLog
import Synchronization

/// How long an observation takes at a given rate: an application of its own is fed at it, each record with the time at
/// which it was sent, and its predictions are read back.
package enum LoadBench {
    package struct Result: Sendable {
        /// Share of what the service can do, and records a second.
        package var load, rate: Double
        /// From a batch's arrival in the worker to the hand-over of its predictions to the client, one value a record.
        package var service = LatencyHistogram()
        /// From the feeder through both topics to a reader, of one record in `sampling`; whole milliseconds.
        package var endToEnd = LatencyHistogram()
    }

    package static let sampling: Offset = 16

    /// - Parameters:
    ///   - rate: records a second.
    ///   - seconds: of measuring, behind two of warming up.
    package static func run(
        _ settings: PipelineBench.Settings, load: Double, rate: Double, seconds: Double, logger: Logger
    ) async throws -> Result {
        let service = try BenchService(settings, input: nil, output: nil, logger: logger)
        let traffic = LoadTraffic(settings, rate: rate)
        var result = Result(load: load, rate: rate)
        try await service.run(ownsTopics: true) { runtime in
            while await !runtime.backend.readiness().holds { try await Task.sleep(for: .milliseconds(50)) }
            let cluster = try await onThread { try service.cluster() }
            let configuration = service.configuration
            let reading = Task {
                try await onThread {
                    try traffic.read(configuration.output.topic, cluster.inputPartitions, cluster.makeReader())
                }
            }
            let feeding = Task { try await onThread { try traffic.feed(cluster.makeProducer(configuration)) } }
            defer { traffic.stop() }
            try await Task.sleep(for: .seconds(2))
            runtime.observer.forgetLatencies()
            traffic.forget()
            try await Task.sleep(for: .seconds(seconds))
            for (nanoseconds, records) in runtime.observer.current.latencies {
                result.service.add(nanoseconds, count: records)
            }
            result.endToEnd = traffic.latencies
            traffic.stop()
            try await feeding.value
            try await reading.value
        } after: { _ in
        }
        return result
    }
}

/// Latencies by octaves from 1/16 of a millisecond on, each in four; exact in its largest value.
package struct LatencyHistogram: Sendable {
    private static let (smallest, perOctave, bucketCount) = (62_500.0, 4.0, 80)

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

    /// The upper end of a bucket, in milliseconds.
    package static func milliseconds(_ bucket: Int) -> Double { smallest * exp2(Double(bucket) / perOctave) / 1e6 }

    /// The value below which a share of all lies, to a bucket's width (19 %).
    package func quantile(_ share: Double) -> Double {
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

/// What is sent, at a steady rate, and what comes back.
private final class LoadTraffic: Sendable {
    private static let streams = 10_000
    private static let tick = 0.001

    private let rate: Double
    private let values: [String]
    private let isStopping = Atomic<Bool>(false)
    private let histogram = Mutex(LatencyHistogram())

    init(_ settings: PipelineBench.Settings, rate: Double) {
        self.rate = rate
        var generator = SplitMix64(state: 3)
        let names = BenchModel.names(settings.features)
        values = (0..<1_000).map { _ in
            names.map { "\"\($0)\":\((generator.uniform(-2, 2) * 10_000).rounded() / 10_000)" }.joined(separator: ",")
        }
    }

    var latencies: LatencyHistogram { histogram.withLock { $0 } }
    func forget() { histogram.withLock { $0 = LatencyHistogram() } }
    func stop() { isStopping.store(true, ordering: .relaxed) }

    private static func now() -> EpochMilliseconds { EpochMilliseconds(Date().timeIntervalSince1970 * 1_000) }

    func feed(_ producer: any LogProducer) throws {
        defer { producer.close() }
        var batch = OutputBatch()
        let began = Date()
        var sent = 0
        while !isStopping.load(ordering: .relaxed) {
            let due = Int(-began.timeIntervalSinceNow * rate)
            let time = Self.now()
            while sent < due && batch.entries.count < 10_000 {
                append(sent, time, &batch)
                sent += 1
            }
            while try !producer.produce(&batch), !isStopping.load(ordering: .relaxed) {
                try producer.poll(timeoutMilliseconds: 1)
            }
            try producer.poll(timeoutMilliseconds: 0)
            batch.removeAll()
            Thread.sleep(forTimeInterval: Self.tick)
        }
    }

    private func append(_ number: Int, _ time: EpochMilliseconds, _ batch: inout OutputBatch) {
        let start = batch.arena.count
        batch.arena.append("sensor-\(number % Self.streams)")
        let key = start..<batch.arena.count
        batch.arena.append("{\"time\":\(time),\"values\":{\(values[number % values.count])}}")
        batch.entries.append(
            OutputBatch.Entry(
                topic: .observations, partition: -1, key: key, value: key.upperBound..<batch.arena.count))
    }

    func read(_ topic: String, _ partitions: Int, _ reader: any LogReader) throws {
        defer { reader.close() }
        var positions: [TopicPartition: Offset] = [:]
        for partition in 0..<Int32(partitions) { positions[TopicPartition(topic: topic, partition: partition)] = 0 }
        try reader.assign(positions)
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
