import Foundation
import SluiceAdmin
import SluiceCore
import SluiceEngine
import SluiceSchema
import Testing

@testable import SluiceService

/// Streams that leave a running service with their state, and come to one.
@Suite struct SnapshotServeTests {
    private func inputs(_ minutes: Range<Int>, _ streams: [(Int32, String)]) -> [Input] {
        minutes.flatMap { minute in streams.map { Input($0.0, $0.1, minute: minute, x: Double(minute % 5)) } }
    }

    @Test func anEarlierStateOfAStreamGoesOnAsAnother() async throws {
        let rig = try ServiceRig(partitions: 2, workers: 2)
        let first = inputs(0..<8, [(0, "pump-0"), (1, "pump-1")])
        try rig.produce(first)
        let second = inputs(8..<12, [(0, "pump-0"), (1, "moved")])
        let (now, imported) = try await rig.serving { runtime in
            _ = try await rig.predictions(first.count)
            let backend = runtime.backend
            let now = try #require(try await backend.export(stream: "pump-0", before: nil, partition: nil))
            let again = try #require(try await backend.export(stream: "pump-0", before: 8, partition: nil))
            #expect(again == now, "the state of now, folded again")
            let earlier = try #require(try await backend.export(stream: "pump-0", before: 5, partition: nil))
            #expect(try await backend.export(stream: "moved", before: 5, partition: 1) == nil)
            #expect(try await backend.import(earlier, stream: "moved", partition: nil, by: "test") == .unknown)
            let outcome = try await backend.import(earlier, stream: "moved", partition: 1, by: "test")
            guard case .applied(let imported) = outcome else { throw SluiceError(.delivery, "\(outcome)") }
            try rig.produce(second)
            _ = try await rig.predictions(first.count + second.count)
            return (now, imported)
        }
        #expect(now.count > 188 && imported.partition == 1 && imported.offset == 8 && imported.stream == "moved")
        // Through a restart, and by `score`.
        let third = inputs(12..<14, [(0, "pump-0"), (1, "moved")])
        try rig.produce(third)
        let all = first + second + third
        let found = try await rig.serving { _ in try await rig.predictions(all.count) }
        let messages = try MessageDecoder()
        let events = try await rig.read("pumps.events") { !$0.isEmpty }.map { record in
            try Array((record.value ?? "").utf8).withUnsafeBytes { try messages.event($0) }
        }
        #expect(events.map(\.id) == [imported.id] && events[0].snapshot != nil)
        #expect(ServeTests.texts(found) == (try rig.scored(all, events: events)))
        let steps = try found.filter { $0.key == "moved" }.map { try $0.prediction.step }
        #expect(steps == [5, 6, 7, 8, 9, 10])
    }

    /// Each worker knows its own partitions only: what one of them holds is no other's.
    @Test func aStreamIsOnItsOwnPartitionWhateverIsSaid() async throws {
        let rig = try ServiceRig(partitions: 2, workers: 2)
        try rig.produce(inputs(0..<8, [(0, "pump-0"), (1, "pump-1")]))
        try await rig.serving { runtime in
            _ = try await rig.predictions(16)
            try await rig.settled(runtime)
            let backend = runtime.backend
            for (home, other) in [(0, 1), (1, 0)] as [(Int32, Int32)] {
                let key = "pump-\(home)"
                let state = try #require(try await backend.export(stream: key, before: nil, partition: nil))
                let problem = await #expect(throws: Problem.self) {
                    _ = try await backend.import(state, stream: key, partition: other, by: "t")
                }
                #expect(problem?.code == "parameter-invalid" && problem?.detail.contains("lives on") == true)
                let earlier = try await backend.export(stream: key, before: 3, partition: other)
                #expect(earlier != nil)
                let views = await backend.views().map(\.view)
                #expect(views.map(\.streams) == [1, 1])
            }
        }
    }

    @Test func whatDoesNotFitIsRefusedWithItsReason() async throws {
        let rig = try ServiceRig(partitions: 2, workers: 1)
        try rig.produce(inputs(0..<8, [(0, "pump-0"), (1, "pump-1")]))
        try await rig.serving { runtime in
            _ = try await rig.predictions(16)
            let backend = runtime.backend
            let state = try #require(try await backend.export(stream: "pump-0", before: nil, partition: nil))
            func code(_ body: () async throws -> Void) async -> String? {
                do { try await body() } catch { return (error as? Problem)?.code }
                return nil
            }
            var foreign = state
            foreign[45] ^= 1
            #expect(
                await code { _ = try await backend.import(foreign, stream: "pump-0", partition: nil, by: "t") }
                    == "body-invalid")
            #expect(
                await code { _ = try await backend.import(state, stream: "pump-0", partition: 1, by: "t") }
                    == "parameter-invalid")
            #expect(
                await code { _ = try await backend.export(stream: "pump-0", before: 9, partition: nil) }
                    == "parameter-invalid")
            #expect(try await backend.import(state, stream: "new", partition: 7, by: "t") == .unknown)
        }
    }
}
