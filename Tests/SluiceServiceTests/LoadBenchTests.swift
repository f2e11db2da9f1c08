import Foundation
import SluiceKafka
import Testing

@testable import SluiceService

/// `bench pipeline --load`.
@Suite struct LoadBenchTests {
    /// Nice of a thread before and behind its giving way, and of one that it starts then, as clients start theirs.
    private func priorities(rate: Double?) async throws -> [Int32] {
        let settings = PipelineBench.Settings(
            bootstrap: "127.0.0.1:1", topic: "t", count: 1, delivery: "at-least-once", features: 2, hidden: 4,
            layers: 1, workers: 1, repetitions: 1, set: [])
        let traffic = LoadTraffic(settings, rate: rate)
        return try await onThread {
            let before = Self.nice()
            traffic.giveWay()
            let (started, ended) = (DispatchSemaphore(value: 0), Box())
            Thread {
                ended.value = Self.nice()
                started.signal()
            }.start()
            started.wait()
            return [before, Self.nice(), ended.value]
        }
    }

    private static func nice() -> Int32 { getpriority(__priority_which_t(PRIO_PROCESS.rawValue), 0) }

    /// Written by one thread before another, that waits for it, reads it.
    private final class Box: @unchecked Sendable {
        var value: Int32 = -1
    }

    @Test func aLoadIsFedAndReadBack() async throws {
        let rig = try ServiceRig(partitions: 4)
        try rig.produce([Input(0, "stream-0", #"{"time":1,"values":{"f0":1}}"#)])
        let settings = PipelineBench.Settings(
            bootstrap: rig.broker.bootstrap, topic: "observations", count: 1, delivery: "at-least-once", features: 1,
            hidden: 4, layers: 1, workers: 1, repetitions: 1)
        let result = try await LoadBench.run(
            settings, load: 0.5, rate: 2_000, seconds: 1, logger: ServiceRig.quiet)
        #expect(result.rate == 2_000 && result.achieved > 0)
        #expect(result.service.count > 0 && result.steady.count <= result.service.count)
        // One of some records of one partition of four.
        #expect(result.endToEnd.count > 0 && result.endToEnd.count < result.service.count)
    }

    @Test func atARateTheServiceGoesFirst() async throws {
        let before = Self.nice()
        #expect(try await priorities(rate: 1_000) == [before, 19, 19])
        // Threads that are the service's keep theirs.
        #expect(Self.nice() == before)
    }

    @Test func whatHasToBeAheadDoesNotGiveWay() async throws {
        let before = Self.nice()
        #expect(try await priorities(rate: nil) == [before, before, before])
    }
}
