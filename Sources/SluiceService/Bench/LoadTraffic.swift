import Foundation
import SluiceCore
import SluiceLog
import Synchronization

/// What is sent, at a steady rate, and what comes back.
final class LoadTraffic: Sendable {
    /// Seconds between two turns of the feeder, which are for it what `linger.ms` is for other clients: 5 ms are what
    /// librdkafka has. What a request takes of the broker's time it takes from the service's.
    private static let tick = 0.005
    /// Records that a feeder without a rate is ahead of the predictions.
    private static let ahead = 50_000

    private let rate: Double?
    private let values: [String]
    private let isStopping = Atomic<Bool>(false)
    private let count = Atomic<Int>(0)
    private let histogram = Mutex(LatencyHistogram())
    private let failure = Mutex<(any Error)?>(nil)

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
        return sent - predicted > max(1_000, Int(rate * seconds))
    }
    /// Records handed to the client.
    var sent: Int { count.load(ordering: .relaxed) }
    /// - Throws: what feeder or reader ended with.
    func check() throws {
        if let error = failure.withLock({ $0 }) { throw error }
    }
    func stop() { isStopping.store(true, ordering: .relaxed) }

    private static func now() -> EpochMilliseconds { EpochMilliseconds(Date().timeIntervalSince1970 * 1_000) }

    /// Lets the service and its broker go before the calling thread and the clients that it makes. Without a rate the
    /// feeder has to be ahead of them, and does not.
    func giveWay() {
        if rate != nil { LowestPriority.take() }
    }

    /// Feeds or reads, on a thread of its own, until `stop`.
    func run(_ body: @escaping @Sendable () throws -> Void) async {
        do {
            try await onThread {
                self.giveWay()
                try body()
            }
        } catch {
            failure.withLock { $0 = $0 ?? error }
        }
    }

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
            count.store(sent, ordering: .relaxed)
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
