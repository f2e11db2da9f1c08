import CLibrdkafka
import Foundation
import ServiceLifecycle
import SluiceAdmin
import SluiceCore
import SluiceEngine
import SluiceSchema
import Testing

@testable import SluiceKafka
@testable import SluiceService

/// What the service says and keeps while the broker, the output or the service itself goes away.
@Suite struct AbsenceTests {
    /// A producer's queue that is soon full.
    private static let queueMessages: Offset = 100
    private static let smallQueue = "queue.buffering.max.messages: \(queueMessages)"

    private static func inputs(_ minutes: Range<Int>) -> [Input] {
        minutes.map { Input(0, "pump", minute: $0, x: Double($0 % 5)) }
    }

    /// Takes the predictions' partition away from its broker, or gives it back: the producer finds no leader.
    private static func setOutput(_ isTaken: Bool, _ rig: ServiceRig) throws {
        let code = try rig.broker.withCluster {
            rd_kafka_mock_partition_set_leader($0, "predictions", 0, isTaken ? 1 : -1)
        }
        #expect(code == RD_KAFKA_RESP_ERR_NO_ERROR)
    }

    @Test func withoutABrokerNoStreamIsUnknown() async throws {
        let rig = try ServiceRig(partitions: 1, workers: 1)
        try rig.broker.setReachable(false)
        try await rig.serving { runtime in
            _ = try await runtime.listeningPort
            let reset = await #expect(throws: Problem.self) {
                try await runtime.backend.reset(stream: "pump", by: "test")
            }
            #expect(reset?.status == 503 && reset?.reasons.count == 1)
            let shown = await #expect(throws: Problem.self) {
                try await runtime.backend.stream("pump", fullState: false)
            }
            #expect(shown?.status == 503)
            let listed = await #expect(throws: Problem.self) {
                try await runtime.backend.streams(prefix: "", limit: 10, after: nil, values: 0)
            }
            #expect(listed?.status == 503, "an empty list would say that all have ended")
            let all = await #expect(throws: Problem.self) {
                try await runtime.backend.reset(.all, dryRun: true, by: "test")
            }
            #expect(all?.status == 503)
        }
    }

    @Test func aResetWhileTheBrokerIsAwayIsAnErrorAndTheNextOneTakesEffect() async throws {
        let rig = try ServiceRig(partitions: 1, workers: 1)
        try rig.produce(Self.inputs(0..<4))
        try await rig.serving { runtime in
            _ = try await rig.predictions(4)
            #expect(try await runtime.backend.reset(stream: "other", by: "test") == .unknown)
            try rig.broker.setReachable(false)
            try await eventually("it is known to be away") {
                if case .away = runtime.health.state { true } else { false }
            }
            // A stream that is still here: the command cannot be written. Or no longer: nobody can say.
            await #expect(throws: (any Error).self) { try await runtime.backend.reset(stream: "pump", by: "test") }
            let other = await #expect(throws: Problem.self) {
                try await runtime.backend.reset(stream: "other", by: "test")
            }
            #expect(other?.status == 503 && other?.detail.contains("away") == true)
            try rig.broker.setReachable(true)
            try await eventually("a reset is possible again") {
                if case .applied? = try? await runtime.backend.reset(stream: "pump", by: "test") { true } else { false }
            }
            try rig.produce(Self.inputs(4..<6))
            let steps = try await rig.predictions(6).map { try $0.prediction.step }
            #expect(steps == [0, 1, 2, 3, 0, 1])
        }
    }

    @Test func aResetOfAllThatWasAcceptedSurvivesAStop() async throws {
        let rig = try ServiceRig(partitions: 2, workers: 2)
        func inputs(_ minutes: Range<Int>) -> [Input] {
            minutes.flatMap { minute in (0..<2).map { Input($0, "pump-\($0)", minute: minute, x: 1) } }
        }
        try rig.produce(inputs(0..<4))
        let accepted = try await rig.serving { runtime in
            _ = try await rig.predictions(8)
            return try await runtime.backend.reset(.all, dryRun: false, by: "test")
        }
        #expect(accepted.matched == 2)
        #expect(try await rig.readAll("pumps.control").map(\.partition) == [0, 1])
        let found = try await rig.serving { _ in
            _ = try await rig.read("pumps.events") { $0.count >= 2 }
            try rig.produce(inputs(4..<6))
            return try await rig.predictions(12)
        }
        #expect(try found.map { try $0.prediction.step } == [0, 1, 2, 3, 0, 1, 0, 1, 2, 3, 0, 1])
        #expect(try await rig.readAll("pumps.events").count == 2)
    }

    /// Memory with the output blocked is bounded by the producer's queue and what one poll brings: beyond them nothing
    /// is folded.
    @Test func aBlockedOutputPausesTheInputAndLosesNothing() async throws {
        let rig = try ServiceRig(partitions: 1, workers: 1, kafka: Self.smallQueue)
        let inputs = Self.inputs(0..<10_000)
        try rig.produce(inputs)
        try Self.setOutput(false, rig)
        let found = try await rig.serving { runtime in
            try await eventually("the output is blocked") { runtime.observer.current.blocked == 1 }
            func position() async -> Offset? { await runtime.backend.views().first?.view.position }
            let blocked = try #require(await position())
            #expect((Self.queueMessages...Self.queueMessages + Offset(Limits.batchRecords)).contains(blocked))
            #expect(await runtime.backend.readiness().reasons == ["the output takes nothing"])
            // Each answer is given in a turn of the worker's loop.
            for _ in 0..<100 { #expect(await position() == blocked) }
            try Self.setOutput(true, rig)
            return try await rig.predictions(inputs.count)
        }
        let isInOrder = try found.map { try $0.prediction.source.offset } == Array(0..<Offset(inputs.count))
        #expect(isInOrder)
        #expect(try rig.committed() == [0: Offset(inputs.count)])
    }

    @Test func aStopThatWaitsForTheOutputSaysSoAndLosesNothing() async throws {
        let rig = try ServiceRig(partitions: 1, workers: 1, kafka: Self.smallQueue)
        let inputs = Self.inputs(0..<1_000)
        try rig.produce(Array(inputs[..<50]))
        try await rig.serving { runtime in
            _ = try await rig.predictions(50)
            try Self.setOutput(false, rig)
            try rig.produce(Array(inputs[50...]))
            try await eventually("the output is blocked") { runtime.observer.current.blocked == 1 }
            runtime.backend.stop()
            let reset = await #expect(throws: Problem.self) {
                try await runtime.backend.reset(stream: "pump", by: "test")
            }
            #expect(reset?.status == 503 && reset?.reasons == ["the service is stopping"])
            try Self.setOutput(true, rig)
        }
        let committed = try #require(try rig.committed()[0])
        #expect(committed > 50)
        #expect(try await rig.readAll("predictions").count == Int(committed))
        let found = try await rig.serving { _ in try await rig.predictions(inputs.count) }
        #expect(found.count == inputs.count)
    }
}
