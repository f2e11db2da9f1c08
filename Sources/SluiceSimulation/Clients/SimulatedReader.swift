package import SluiceCore
package import SluiceLog

/// A reader outside any group, `read_committed`; only `highWatermark` asks beyond that.
package final class SimulatedReader: LogReader {
    private let process: SimulatedProcess
    private var positions: [TopicPartition: Offset] = [:]
    private var silence = Silence()

    private var cluster: SimulatedCluster { process.cluster }

    package init(_ process: SimulatedProcess) { self.process = process }

    private static func order(_ one: TopicPartition, _ other: TopicPartition) -> Bool {
        (one.topic, one.partition) < (other.topic, other.partition)
    }

    package func assign(_ wanted: [TopicPartition: Offset]) throws { positions = wanted }

    package func poll(
        timeoutMilliseconds: Int, limit: Int, _ body: (_ topic: String, LogRecord) throws -> Void
    ) throws {
        let fault = try process.enter(.readerPoll)
        silence.add(fault, of: positions.keys.sorted(by: Self.order), process)
        var found = try fetch(limit)
        if found.isEmpty && timeoutMilliseconds > 0 {
            cluster.advance(Int64(1 + cluster.random.below(timeoutMilliseconds)) * 1_000_000)
            found = try fetch(limit)
        }
        for one in found { try withLogRecords([one]) { for record in $0 { try body(one.topic, record) } } }
        try process.finish(fault)
    }

    private func fetch(_ limit: Int) throws -> [FetchedRecord] {
        guard !process.isCutOff else { return [] }
        var found: [FetchedRecord] = []
        for partition in positions.keys.sorted(by: Self.order) where found.count < limit {
            guard let position = positions[partition] else { continue }
            let wanted = min(limit - found.count, 1 + cluster.random.below(limit))
            let log = try cluster.log(partition)
            if silence.covers(partition, process, hasRecords: { log.hasRecords(from: position) }) { continue }
            do {
                let read = try log.read(from: position, .readCommitted, limit: wanted)
                positions[partition] = read.next
                found += read.records.map {
                    FetchedRecord(topic: partition.topic, partition: partition.partition, record: $0)
                }
            } catch {
                throw SluiceError(.broker, "\(partition): no offset \(position)", retry: .fatal)
            }
        }
        return found
    }

    package func watermarks(
        _ partition: TopicPartition, timeoutMilliseconds: Int
    ) throws -> (low: Offset, high: Offset) {
        let log = try ask(partition)
        return (log.low, log.lastStable)
    }

    package func highWatermark(_ partition: TopicPartition, timeoutMilliseconds: Int) throws -> Offset {
        try ask(partition).high
    }

    private func ask(_ partition: TopicPartition) throws -> PartitionLog {
        try process.call(.watermarks) {
            guard !process.isCutOff else { throw SimulatedProcess.unanswered(.watermarks) }
            cluster.advance(2 * cluster.latency())
            return try cluster.log(partition)
        }
    }

    package func position(_ partition: TopicPartition) -> Offset? { positions[partition] }

    package func offset(
        _ partition: TopicPartition, at time: EpochMilliseconds, timeoutMilliseconds: Int
    ) throws -> Offset? { nil }

    package func onArrival(_ body: @escaping @Sendable () -> Void) {}
    package func close() { positions = [:] }
}
