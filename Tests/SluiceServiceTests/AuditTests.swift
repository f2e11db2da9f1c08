import Logging
import SluiceAdmin
import SluiceCore
import SluiceLog
import SluiceSchema
import Synchronization
import Testing

@testable import SluiceService

/// How the audit comes from its topic to who looks at it.
@Suite struct AuditTests {
    private static func event(_ number: Int) -> Event {
        Event(
            id: "\(number)", type: .reset, target: .stream("pump-17"), partition: 3, offset: 12, by: "anna",
            time: EpochMilliseconds(number) * 1_000, control: 8)
    }

    @Test func recordsAreShownAsTheyAre() {
        let reset = AuditEvent(Self.event(1))
        #expect(
            reset
                == AuditEvent(
                    id: "1", type: "reset", stream: "pump-17", partition: 3, offset: 12, by: "anna",
                    time: Timestamp(1_000)))
        var swap = Event(id: "2", type: .swap, target: nil, partition: 0, offset: 1, by: "retrain", time: 0)
        (swap.model, swap.cause) = ("v8", "better")
        #expect(AuditEvent(swap).model == "v8" && AuditEvent(swap).cause == "better")
        swap.target = .prefix("")
        #expect(AuditEvent(swap).stream == nil && AuditEvent(swap).prefix == "")
    }

    @Test func onlyResetsAreCountedAsResets() {
        let registry = PrometheusRegistry()
        let observer = MetricsObserver(metrics: ServiceMetrics(registry: registry), logger: ServiceRig.quiet)
        observer.commandApplied(Self.event(1), matched: 2)
        var other = Self.event(2)
        other.type = .import
        observer.commandApplied(other, matched: 1)
        #expect(observer.current.resets == 2 && registry.exposition().contains("sluice_resets_total 2\n"))
    }

    @Test(.timeLimit(.minutes(1))) func aServiceThatStartsTellsOfTheLatestRecords() async {
        let (told, teller) = AsyncStream.makeStream(of: String.self)
        let control = ControlPlane(
            topics: TopicPlan(application: "a", input: "in", output: "out", rejects: "no"), inputPartitions: 1,
            eventsPartitions: 1, logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }),
            onEvent: { teller.yield($0.id) },
            makeClients: { .init(producer: NoProducer(), reader: EventsReader((0..<150).map(Self.event))) })
        control.start()
        defer { control.stop() }
        var heard: [String] = []
        for await id in told.prefix(AuditFeed.historyMaximum) { heard.append(id) }
        #expect(heard == (50..<150).map { "\($0)" })
    }
}

/// The audit's topic, with one partition of these events; every other topic is empty.
private final class EventsReader: LogReader {
    private let events: [Event]
    private var position: Int?

    init(_ events: [Event]) { self.events = events }

    func assign(_ positions: [TopicPartition: Offset]) { position = positions.values.first.map { Int($0) } }

    func poll(timeoutMilliseconds: Int, limit: Int, _ body: (_ topic: String, LogRecord) throws -> Void) throws {
        guard let next = position, next < events.count else { return }
        var arena = ByteArena(capacity: 1_024)
        let value = events[next].encode(into: &arena)
        position = next + 1
        let none = UnsafeRawBufferPointer(start: nil, count: 0)
        try body(
            "a.events",
            LogRecord(partition: 0, offset: Offset(next), timestamp: 0, key: none, value: arena.bytes(value)))
    }

    func watermarks(_ partition: TopicPartition, timeoutMilliseconds: Int) -> (low: Offset, high: Offset) {
        (0, partition.topic == "a.events" ? Offset(events.count) : 0)
    }

    func highWatermark(_ partition: TopicPartition, timeoutMilliseconds: Int) -> Offset {
        watermarks(partition, timeoutMilliseconds: timeoutMilliseconds).high
    }

    func position(_ partition: TopicPartition) -> Offset? { position.map { Offset($0) } }
    func offset(_ partition: TopicPartition, at time: EpochMilliseconds, timeoutMilliseconds: Int) -> Offset? { nil }
    func onArrival(_ body: @escaping @Sendable () -> Void) {}
    func close() {}
}

private final class NoProducer: LogProducer {
    func produce(_ batch: inout OutputBatch) -> Bool {
        while !batch.isHandedOver { batch.handOver(batch.next) }
        return true
    }
    func poll(timeoutMilliseconds: Int) {}
    func flush(timeoutMilliseconds: Int) -> Bool { true }
    var pending: Int { 0 }
    var messageBytesMax: Int { 1_000_000 }
    var messagesMaximum: Int { 100_000 }
    func close() {}
}
