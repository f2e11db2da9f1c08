import Foundation
import SluiceCore
import SluiceLog
import Synchronization

/// Produces the demo's observations: the recorded hours at the demo's speed, over and over with the years moved on, and
/// the machine's metrics once a second. One thread with its own producer. What precedes the replay is produced at once.
final class DemoFeeder: Sendable {
    private static let tickSeconds = 0.05

    private let series: [DemoSeries]
    private let firstRow: Int
    private let hoursPerSecond: Double
    private let ledger: DemoLedger
    private let makeProducer: @Sendable () throws -> any LogProducer
    private let isStopping = Atomic<Bool>(false)
    private let hasEnded = Atomic<Bool>(false)
    private let failure = Mutex<(any Error)?>(nil)

    /// - Parameter firstRow: rows before it were trained on.
    init(
        _ series: [DemoSeries], firstRow: Int, hoursPerSecond: Double, ledger: DemoLedger,
        makeProducer: @escaping @Sendable () throws -> any LogProducer
    ) {
        self.series = series
        self.firstRow = firstRow
        self.hoursPerSecond = hoursPerSecond
        self.ledger = ledger
        self.makeProducer = makeProducer
    }

    func start() {
        let thread = Thread { [self] in
            do { try feed() } catch { failure.withLock { $0 = error } }
            hasEnded.store(true, ordering: .releasing)
        }
        thread.name = "demo-feeder"
        thread.start()
    }

    /// Produces all rows that precede the replay, in order of time.
    func feedHistory() throws {
        let producer = try makeProducer()
        defer { producer.close() }
        var batch = OutputBatch()
        for row in 0..<firstRow {
            for one in series { append(one.stream, one.rows[row].time, one.rows[row].value, &batch) }
            if batch.entries.count >= 1_000 { try send(&batch, producer) }
        }
        try send(&batch, producer)
        guard try producer.flush(timeoutMilliseconds: 30_000) else {
            throw SluiceError(.delivery, "the recorded history could not be produced", retry: .later)
        }
        ledger.sentHistory(firstRow * series.count)
    }

    func stop() { isStopping.store(true, ordering: .relaxed) }

    /// Nothing more is sent.
    var isOver: Bool { hasEnded.load(ordering: .acquiring) }

    /// What ended it, if it was not `stop`.
    var error: (any Error)? { failure.withLock { $0 } }

    private func feed() throws {
        let producer = try makeProducer()
        defer { producer.close() }
        var machine = MachineMetrics()
        var batch = OutputBatch()
        let began = Date()
        var hours = 0
        var machineDue = began
        while !isStopping.load(ordering: .relaxed) {
            let due = Int(-began.timeIntervalSinceNow * hoursPerSecond)
            while hours < due {
                for one in series { appendHour(hours, one, &batch) }
                hours += 1
            }
            if Date() >= machineDue {
                let now = EpochMilliseconds(Date().timeIntervalSince1970) * 1_000
                for (stream, value) in machine.sample() {
                    ledger.sent(stream, now, value)
                    append(stream, now, value, &batch)
                }
                machineDue += 1
            }
            try send(&batch, producer)
            Thread.sleep(forTimeInterval: Self.tickSeconds)
        }
        _ = try producer.flush(timeoutMilliseconds: 5_000)
    }

    private func appendHour(_ hour: Int, _ one: DemoSeries, _ batch: inout OutputBatch) {
        // Behind the recorded year's end it begins again, a year later.
        let position = firstRow + hour
        let row = one.rows[position % one.rows.count]
        let year: EpochMilliseconds = 365 * 86_400_000
        let time = row.time + year * EpochMilliseconds(position / one.rows.count)
        ledger.sent(one.stream, time, row.value)
        append(one.stream, time, row.value, &batch)
    }

    private func append(_ stream: String, _ time: EpochMilliseconds, _ value: Float, _ batch: inout OutputBatch) {
        let start = batch.arena.count
        batch.arena.append(stream)
        let key = start..<batch.arena.count
        batch.arena.append("{\"time\":\(time),\"values\":{\"value\":\(value)}}")
        batch.entries.append(
            OutputBatch.Entry(
                topic: .observations, partition: -1, timestamp: time, key: key,
                value: key.upperBound..<batch.arena.count))
    }

    /// Polls that make no room before the output counts as blocked: five seconds.
    private static let idlePollsMaximum = 100

    /// Sends all of it, for it is counted: a stop ends that only where the output is blocked.
    private func send(_ batch: inout OutputBatch, _ producer: any LogProducer) throws {
        var idle = 0
        while !batch.isHandedOver {
            let before = batch.next
            let isHandedOver = try producer.produce(&batch)
            try producer.poll(timeoutMilliseconds: isHandedOver ? 0 : 50)
            idle = batch.next == before ? idle + 1 : 0
            if idle > Self.idlePollsMaximum && isStopping.load(ordering: .relaxed) { break }
        }
        batch.removeAll()
    }
}

/// Reads the demo's predictions back from their topic, as any consumer would.
final class DemoReader: Sendable {
    private let topic: String
    private let partitions: Int
    private let ledger: DemoLedger
    private let makeReader: @Sendable () throws -> any LogReader
    private let isStopping = Atomic<Bool>(false)

    init(
        topic: String, partitions: Int, ledger: DemoLedger, makeReader: @escaping @Sendable () throws -> any LogReader
    ) {
        self.topic = topic
        self.partitions = partitions
        self.ledger = ledger
        self.makeReader = makeReader
    }

    func start() {
        let thread = Thread { [self] in
            // Without its reader the demo goes on; its errors are then not judged, which the summary says.
            try? read()
        }
        thread.name = "demo-reader"
        thread.start()
    }

    func stop() { isStopping.store(true, ordering: .relaxed) }

    private func read() throws {
        let reader = try makeReader()
        defer { reader.close() }
        var positions: [TopicPartition: Offset] = [:]
        for partition in 0..<Int32(partitions) { positions[TopicPartition(topic: topic, partition: partition)] = 0 }
        try reader.assign(positions)
        let decoder = JSONDecoder()
        while !isStopping.load(ordering: .relaxed) {
            try reader.poll(timeoutMilliseconds: 100, limit: 1_000) { _, record in
                ledger.predicted(Data(record.value), decoder)
            }
        }
    }
}
