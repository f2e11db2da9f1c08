import Foundation
import SluiceAdmin
import SluiceCore
import SluiceEngine
import SluiceSchema
import Testing

@testable import SluiceService

/// The whole service on real sockets and files.
@Suite struct ServeTests {
    /// Streams that mix within their partitions, with boundaries of their own and values that are missing.
    private static func mixture(partitions: Int32, minutes: Int) -> [Input] {
        (0..<minutes).flatMap { minute in
            (0..<partitions).flatMap { partition in
                (0..<3).map { stream in
                    let x = stream == 1 && minute % 5 == 0 ? "null" : "\(Double((minute * 7 + stream) % 11) / 8)"
                    let boundary = (minute + stream) % 13 == 12 ? #","boundary":"start""# : ""
                    return Input(
                        partition, "pump-\(partition)-\(stream)",
                        #"{"time":\#(60_000 * minute),"values":{"x":\#(x)}\#(boundary)}"#)
                }
            }
        }
    }

    static func texts(_ outputs: [Output]) -> [Int32: [String]] {
        Dictionary(grouping: outputs, by: \.partition).mapValues { $0.compactMap(\.value) }
    }

    @Test func predictionsAreThoseOfScoreByteForByte() async throws {
        let rig = try ServiceRig(partitions: 4, workers: 2)
        let inputs = Self.mixture(partitions: 4, minutes: 40)
        try rig.produce(Array(inputs[..<200]))
        let found = try await rig.serving { _ in
            try rig.produce(Array(inputs[200...]))
            return try await rig.predictions(inputs.count)
        }
        let isAsScored = Self.texts(found) == (try rig.scored(inputs))
        #expect(isAsScored)
        for output in found { #expect(output.key == (try output.prediction.stream)) }
        #expect(try rig.committed() == [0: 120, 1: 120, 2: 120, 3: 120])
    }

    @Test func aBadRecordIsRefusedAndThePartitionGoesOn() async throws {
        let rig = try ServiceRig(partitions: 1, workers: 1)
        let good = (0..<3).map { Input(0, "pump", minute: $0, x: 1) }
        let bad = [
            Input(0, "pump", #"{"time":1,"values":{"x":"#), Input(0, "pump", #"{"time":1,"values":{"x":"wide"}}"#),
            Input(0, nil, #"{"time":1,"values":{"x":1}}"#),
        ]
        try rig.produce([good[0], bad[0], bad[1], good[1], bad[2], good[2]])
        let (predictions, rejects) = try await rig.serving { _ in
            (try await rig.predictions(3), try await rig.read("observations.rejected") { $0.count >= 3 })
        }
        #expect(try predictions.map { try $0.prediction.step } == [0, 1, 2])
        #expect(try predictions.map { try $0.prediction.source.offset } == [0, 3, 5])
        #expect(rejects.map(\.key) == bad.map(\.key) && rejects.map(\.value) == bad.map(\.value))
        #expect(
            rejects.map { $0.headers["sluice-source"] } == [1, 2, 4].map { "observations/0/\($0)" })
        #expect(rejects.map { $0.headers["sluice-error"] } == ["json-invalid", "type-mismatch", "key-missing"])
        #expect(rejects.allSatisfy { $0.headers["sluice-message"]?.isEmpty == false })
    }

    @Test func aResetStaysAtItsOffsetThroughARestart() async throws {
        let rig = try ServiceRig(partitions: 2, workers: 2)
        func inputs(_ minutes: Range<Int>) -> [Input] {
            minutes.flatMap { minute in
                (0..<2).map { Input($0, "pump-\($0)", minute: minute, x: Double(minute % 5)) }
            }
        }
        try rig.produce(inputs(0..<5))
        let reset = try await rig.serving { runtime in
            _ = try await rig.predictions(10)
            let outcome = try await runtime.backend.reset(stream: "pump-0", by: "test")
            try rig.produce(inputs(5..<9))
            _ = try await rig.predictions(18)
            guard case .applied(let reset) = outcome else { throw SluiceError(.delivery, "\(outcome)") }
            return reset
        }
        #expect(reset.offset == 5 && reset.partition == 0)
        try rig.produce(inputs(9..<12))
        let found = try await rig.serving { _ in try await rig.predictions(24) }
        let audit = try await rig.read("pumps.events") { !$0.isEmpty }
        let messages = try MessageDecoder()
        let events = try audit.map { record in
            try Array((record.value ?? "").utf8).withUnsafeBytes { try messages.event($0) }
        }
        #expect(events.map(\.id) == [reset.id] && events.map(\.offset) == [5] && events.map(\.by) == ["test"])
        #expect(audit.map(\.key) == ["pump-0"])
        #expect(Self.texts(found) == (try rig.scored(inputs(0..<12), events: events)))
        let steps = try found.filter { $0.partition == 0 }.map { try $0.prediction.step }
        #expect(steps == [0, 1, 2, 3, 4, 0, 1, 2, 3, 4, 5, 6])
    }

    @Test func aStopUnderLoadLosesNothingThatIsUnderWay() async throws {
        let rig = try ServiceRig(partitions: 4, workers: 2)
        let inputs = Self.mixture(partitions: 4, minutes: 400)
        let feeding = try await rig.serving { runtime in
            try await rig.settled(runtime)
            let feeding = Task<Void, any Error> {
                try await onThread {
                    for start in stride(from: 0, to: inputs.count, by: 200) {
                        try rig.produce(Array(inputs[start..<min(start + 200, inputs.count)]))
                    }
                }
            }
            try await eventually("it predicts") { runtime.observer.current.report.predictions > 100 }
            return feeding
        }
        // Whatever was predicted is committed: nothing of it is predicted again.
        let committed = try rig.committed()
        let stopped = try await rig.readAll("predictions")
        for partition: Int32 in 0..<4 {
            let sources = Set(try stopped.filter { $0.partition == partition }.map { try $0.prediction.source.offset })
            let isAll = sources == Set(0..<committed[partition, default: 0])
            #expect(isAll, "\(sources.count) predictions, \(committed[partition] ?? -1) committed")
        }
        try await feeding.value
        let found = try await rig.serving { _ in try await rig.predictions(inputs.count) }
        let isAsScored = Self.texts(found) == (try rig.scored(inputs))
        #expect(isAsScored)
    }
}
