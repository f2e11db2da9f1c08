import Foundation
import SluiceAdmin
import SluiceCore
import SluiceLog
import SluiceSchema
import Synchronization
import Testing

@testable import SluiceService

/// Commands on their way to the control topic, with a broker that follows a script.
@Suite struct ControlPlaneTests {
    private let broker = ScriptedBroker()

    private func plane(_ patience: ControlPlane.Patience = ControlPlane.Patience()) -> ControlPlane {
        let plane = ControlPlane(
            topics: TopicPlan(application: "a", input: "in", output: "out", rejects: "in.rejected"),
            inputPartitions: 2, eventsPartitions: 1, logger: ServiceRig.quiet, patience: patience
        ) { [broker] in
            ControlPlane.Clients(producer: try ScriptedProducer(broker), reader: ScriptedReader(broker))
        }
        plane.start()
        return plane
    }

    private func reset(_ id: String) -> Command {
        Command(id: id, target: .prefix(""), by: "test", time: 0)
    }

    private func stop(_ plane: ControlPlane) async {
        plane.stop()
        await plane.wait()
    }

    @Test func aCommandIsRecordedOnEveryPartition() async throws {
        let plane = plane()
        try await plane.record(reset("c"), on: [0, 1])
        #expect(broker.commands == ["c/0", "c/1"])
        await stop(plane)
    }

    @Test func aProducerThatFailsLosesNoCommand() async throws {
        broker.script.withLock { $0.failures = 2 }
        let plane = plane()
        try await plane.record(reset("c"), on: [0, 1])
        #expect(broker.commands == ["c/0", "c/1"])
        await stop(plane)
    }

    @Test func aProducerThatTakesLittleLosesNoCommand() async throws {
        broker.script.withLock { $0.capacity = 1 }
        let plane = plane()
        try await plane.record(reset("c"), on: [0, 1])
        #expect(broker.commands == ["c/0", "c/1"])
        await stop(plane)
    }

    @Test func aStopWritesWhatIsQueued() async throws {
        broker.script.withLock { $0.isBlocked = true }
        let plane = plane(ControlPlane.Patience(answer: .seconds(60), stop: .seconds(60)))
        async let recorded: Void = plane.record(reset("c"), on: [0, 1])
        try await eventually("it is with the producer") { broker.script.withLock { $0.produced.count } == 2 }
        plane.stop()
        broker.script.withLock { $0.isBlocked = false }
        try await recorded
        await plane.wait()
        #expect(broker.commands == ["c/0", "c/1"])
        #expect(broker.script.withLock { $0.closedAfter } == 2, "written before the clients were closed")
        let late = await #expect(throws: SluiceError.self) { try await plane.record(reset("late"), on: [0]) }
        #expect(late?.retry == .later)
    }

    @Test func whatAStopCannotWriteIsAnError() async throws {
        broker.script.withLock { $0.isBlocked = true }
        let plane = plane(ControlPlane.Patience(answer: .seconds(60), stop: .milliseconds(50)))
        let recorded = Task { try await plane.record(reset("c"), on: [0]) }
        let performed = Task { try await plane.perform(reset("d"), on: 1) }
        try await eventually("they are with the producer") { broker.script.withLock { $0.produced.count } == 2 }
        await stop(plane)
        let first = await #expect(throws: SluiceError.self) { try await recorded.value }
        let second = await #expect(throws: SluiceError.self) { _ = try await performed.value }
        #expect(first?.retry == .later && second?.retry == .later)
        #expect(first?.message.contains("stops") == true)
    }

    @Test func aCommandThatTakesTooLongIsAnErrorAndIsTakenBack() async throws {
        broker.script.withLock { $0.isBlocked = true }
        let plane = plane(ControlPlane.Patience(answer: .milliseconds(200)))
        let error = await #expect(throws: SluiceError.self) { try await plane.record(reset("c"), on: [0]) }
        #expect(error?.retry == .later && error?.code == .delivery)
        try await eventually("its producer is closed") { broker.script.withLock { $0.closedAfter } != nil }
        broker.script.withLock { $0.isBlocked = false }
        var tries = 0
        try await eventually("the next one is taken") {
            tries += 1
            return (try? await plane.record(reset("later \(tries)"), on: [1])) != nil
        }
        #expect(broker.commands.last == "later \(tries)/1")
        #expect(!broker.commands.contains("c/0"))
        await stop(plane)
    }

    @Test func aRecordedCommandWithoutEffectIsPending() async throws {
        let plane = plane(ControlPlane.Patience(answer: .milliseconds(500)))
        #expect(try await plane.perform(reset("c"), on: 0) == nil)
        #expect(broker.commands == ["c/0"])
        await stop(plane)
    }

    @Test func aRefusalIsTheAnswer() async throws {
        let plane = plane()
        broker.script.withLock { ($0.answers, $0.refuses) = (true, true) }
        let problem = await #expect(throws: Problem.self) { _ = try await plane.perform(reset("c"), on: 1) }
        #expect(problem == Problem(.commandRefused, "reset: no") && problem?.status == 409)
        await stop(plane)
    }

    @Test func aCommandThatNoMessageHoldsIsAnErrorAndInNobodysWay() async throws {
        broker.script.withLock { $0.messageBytesMax = 400 }
        let plane = plane(ControlPlane.Patience(answer: .seconds(600)))
        let large = Command(id: "large", target: .prefix(String(repeating: "x", count: 400)), by: "test", time: 0)
        let refused = Task { try await plane.record(large, on: [0, 1]) }
        try await plane.record(reset("c"), on: [0])
        let problem = await #expect(throws: Problem.self) { try await refused.value }
        #expect(problem?.code == "body-too-large" && problem?.detail.contains("message.max.bytes") == true)
        #expect(broker.commands == ["c/0"])
        await stop(plane)
    }

    @Test func theEffectIsTheAnswer() async throws {
        let plane = plane()
        broker.script.withLock { $0.answers = true }
        let event = try await plane.perform(reset("c"), on: 1)
        #expect(event?.id == "c" && event?.partition == 1)
        await stop(plane)
    }
}

/// A broker as the clients below show it.
private final class ScriptedBroker: Sendable {
    struct Script {
        /// Producers that fail at their first message.
        var failures = 0
        /// Messages that a producer takes at once.
        var capacity = Int.max
        /// Nothing is delivered.
        var isBlocked = false
        /// Every command takes effect.
        var answers = false
        /// They are refused instead.
        var refuses = false
        var messageBytesMax = 1_000_000
        /// With the present producer, and at the broker.
        var produced: [String] = []
        var delivered: [String] = []
        /// Commands at the broker when a producer was last closed.
        var closedAfter: Int?
        var events: [Event] = []
    }
    let script = Mutex(Script())

    /// As `id/partition`.
    var commands: [String] { script.withLock { $0.delivered } }
}

private final class ScriptedProducer: LogProducer {
    private let broker: ScriptedBroker
    private let messages: MessageDecoder
    var messageBytesMax: Int { broker.script.withLock { $0.messageBytesMax } }

    init(_ broker: ScriptedBroker) throws {
        self.broker = broker
        messages = try MessageDecoder()
    }

    let messagesMaximum = 100_000
    var pending: Int { broker.script.withLock { $0.produced.count } }

    func produce(_ batch: inout OutputBatch) throws -> Bool {
        let texts = try (batch.next..<batch.entries.count).map { index in
            let entry = batch.entries[index]
            let value = batch.arena.bytes(try #require(entry.value))
            return "\(try messages.command(value).id)/\(entry.partition)"
        }
        let taken = try broker.script.withLock { script in
            if script.failures > 0 {
                script.failures -= 1
                throw SluiceError(.delivery, "lost", retry: .fatal)
            }
            let taken = texts.prefix(script.capacity)
            script.produced += taken
            return taken.count
        }
        for _ in 0..<taken { batch.handOver(batch.next) }
        return batch.isHandedOver
    }

    func poll(timeoutMilliseconds: Int) throws {}

    func flush(timeoutMilliseconds: Int) throws -> Bool {
        broker.script.withLock { script in
            guard !script.isBlocked else { return false }
            if script.answers {
                let type = script.refuses ? MessageType.refused : .reset
                script.events += script.produced.map { text in
                    let parts = text.split(separator: "/")
                    return Event(
                        id: String(parts[0]), type: type, target: .prefix(""), partition: Int32(parts[1]) ?? -1,
                        offset: 0, by: "test", time: 0, cause: script.refuses ? "reset: no" : nil)
                }
            }
            script.delivered += script.produced
            script.produced = []
            return true
        }
    }

    func close() {
        broker.script.withLock { script in
            script.closedAfter = script.delivered.count
            script.produced = []
        }
    }
}

private final class ScriptedReader: LogReader {
    private let broker: ScriptedBroker

    init(_ broker: ScriptedBroker) { self.broker = broker }

    func assign(_ positions: [TopicPartition: Offset]) throws {}

    func poll(timeoutMilliseconds: Int, limit: Int, _ body: (String, LogRecord) throws -> Void) throws {
        let events = broker.script.withLock { script in
            defer { script.events = [] }
            return script.events
        }
        var arena = ByteArena()
        for event in events {
            let range = event.encode(into: &arena)
            let none = UnsafeRawBufferPointer(start: nil, count: 0)
            try body(
                "a.events",
                LogRecord(partition: 0, offset: 0, timestamp: 0, key: none, value: arena.bytes(range)))
        }
        // As long as nothing is there, a reader waits.
        if events.isEmpty { Thread.sleep(forTimeInterval: 0.001) }
    }

    func watermarks(_ partition: TopicPartition, timeoutMilliseconds: Int) throws -> (low: Offset, high: Offset) {
        (0, 0)
    }
    func highWatermark(_: TopicPartition, timeoutMilliseconds _: Int) -> Offset { 0 }
    func position(_: TopicPartition) -> Offset? { nil }
    func offset(_: TopicPartition, at _: EpochMilliseconds, timeoutMilliseconds _: Int) throws -> Offset? { nil }
    func onArrival(_ body: @escaping @Sendable () -> Void) {}
    func close() {}
}
