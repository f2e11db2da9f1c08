import Foundation
import SluiceAdmin
import SluiceConfiguration
import SluiceCore
import SluiceEngine
import SluiceLog
import Synchronization
import Testing

@testable import SluiceKafka
@testable import SluiceService

/// A rebuild of an earlier state that would never end.
@Suite struct RebuildTests {
    private let polls = Polls()

    private func backend() -> EngineBackend {
        let quiet = ServiceRig.quiet
        let backend = EngineBackend(
            health: KafkaHealth(logger: quiet),
            observer: MetricsObserver(metrics: ServiceMetrics(registry: PrometheusRegistry()), logger: quiet))
        let control = ControlPlane(
            topics: TopicPlan(application: "a", input: "in", output: "out", rejects: "no"), inputPartitions: 1,
            eventsPartitions: 1, logger: quiet
        ) { throw SluiceError(.broker, "there is none", retry: .later) }
        backend.attach(workers: [], control: control, instance: "test") { [polls] in
            SlotRewind(
                WorkerSettings(
                    inputTopic: "in", inputPartitions: 1, controlTopic: "a.control", eventsTopic: "a.events",
                    eventsPartitions: 1, commitNanoseconds: 1, checkpointNanoseconds: 1),
                hasChangelog: false, makeReader: { EndlessReader(polls) },
                makeFold: { _ in throw SluiceError(.unknownModel, "there is none") })
        }
        return backend
    }

    private func begun(_ backend: EngineBackend) async throws -> Task<[UInt8]?, any Error> {
        let rebuild = Task { try await backend.rewind("pump", 0, 5) }
        try await eventually("the log is read") { polls.count.load(ordering: .relaxed) > 2 }
        return rebuild
    }

    @Test func aStopEndsIt() async throws {
        let backend = backend()
        let rebuild = try await begun(backend)
        let busy = await #expect(throws: Problem.self) { try await backend.rewind("pump", 0, 5) }
        #expect(busy?.code == "rebuild-busy")
        backend.stop()
        let problem = await #expect(throws: Problem.self) { try await rebuild.value }
        #expect(problem?.code == "not-ready" && problem?.status == 503)
        let late = await #expect(throws: Problem.self) { try await backend.rewind("pump", 0, 5) }
        #expect(late?.code == "not-ready")
    }

    @Test func nobodyWaitingEndsItAndAnotherMayBegin() async throws {
        let backend = backend()
        let rebuild = try await begun(backend)
        rebuild.cancel()
        await #expect(throws: Problem.self) { try await rebuild.value }
        let next = try await begun(backend)
        backend.stop()
        await #expect(throws: Problem.self) { try await next.value }
    }
}

private final class Polls: Sendable { let count = Atomic<Int>(0) }

/// Has always a record more, and never comes further.
private final class EndlessReader: LogReader {
    private let polls: Polls

    init(_ polls: Polls) { self.polls = polls }

    func assign(_ positions: [TopicPartition: Offset]) {}

    func poll(timeoutMilliseconds: Int, limit: Int, _ body: (_ topic: String, LogRecord) throws -> Void) throws {
        polls.count.add(1, ordering: .relaxed)
        Thread.sleep(forTimeInterval: 0.001)
        let none = UnsafeRawBufferPointer(start: nil, count: 0)
        try body("a.events", LogRecord(partition: 0, offset: 0, timestamp: 0, key: none, value: none))
    }

    func watermarks(_ partition: TopicPartition, timeoutMilliseconds: Int) -> (low: Offset, high: Offset) { (0, 10) }
    func highWatermark(_ partition: TopicPartition, timeoutMilliseconds: Int) -> Offset { 10 }
    func position(_ partition: TopicPartition) -> Offset? { 0 }
    func offset(_ partition: TopicPartition, at time: EpochMilliseconds, timeoutMilliseconds: Int) -> Offset? { nil }
    func onArrival(_ body: @escaping @Sendable () -> Void) {}
    func close() {}
}
