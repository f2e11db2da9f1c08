import Foundation
import SluiceCore
import SluiceLSTM
import SluiceSchema
import SluiceState
import Testing

@testable import SluiceService

/// Replay of files through the fold of `serve`.
@Suite struct ScorerTests {
    private let model: Model = {
        var parameters = LSTMParameters(shape: LSTMShape(inputs: 1, hidden: 3, layers: 1, outputs: 1))
        for index in parameters.values.indices { parameters.values[index] = Float(index % 7 - 3) / 8 }
        return Model(
            manifest: ModelManifest(name: "m", version: "v1", inputs: ["x"], targets: ["x"]), parameters: parameters)
    }()

    private func row(_ stream: String, _ minute: Int, _ partition: Int, _ offset: Int, x: String = "1.5") -> String {
        """
        {"stream":"\(stream)","time":\(60_000 * minute),"values":{"x":\(x)},\
        "source":{"topic":"t","partition":\(partition),"offset":\(offset)}}
        """
    }

    /// Steps of the predictions, in order, with `null` for a reject.
    private func steps(_ rows: [String], _ events: [Event], batch: Int = 4_096) throws -> [Int?] {
        let scorer = try Scorer(
            FoldSpecification(model: model), input: InputSpecification(source: .field, features: [.init("x")]),
            topic: "t", batch: batch, events: events)
        var steps: [Int?] = []
        let bytes = rows.map { Array($0.utf8) }
        let buffers = bytes.map { row in
            let copy = UnsafeMutableRawBufferPointer.allocate(byteCount: row.count, alignment: 1)
            copy.copyBytes(from: row)
            return UnsafeRawBufferPointer(copy)
        }
        defer { for buffer in buffers { buffer.deallocate() } }
        try scorer.score(buffers.map { RecordReader.Row(bytes: $0) }) { line in
            let text = String(decoding: line, as: UTF8.self)
            let step = try #require(text.firstMatch(of: /"step":(\d+)/))
            steps.append(Int(step.1))
        } reject: { _, _ in
            steps.append(nil)
        }
        return steps
    }

    private func reset(_ stream: String, partition: Int32, offset: Offset) -> Event {
        Event(
            id: "a", type: .reset, target: .stream(stream), partition: partition, offset: offset, by: "test", time: 0,
            control: 0)
    }

    @Test(arguments: [1, 2, 4_096]) func recordedResetTakesEffectAtItsOffset(batch: Int) throws {
        let rows = (0..<6).map { row("s", $0, 0, $0) }
        #expect(try steps(rows, [reset("s", partition: 0, offset: 4)], batch: batch) == [0, 1, 2, 3, 0, 1])
    }

    @Test func rejectedRowFiresNoReset() throws {
        var rows = (0..<6).map { row("s", $0, 0, $0) }
        rows.insert(row("other", 9, 3, 99, x: "\"text\""), at: 2)
        let found = try steps(rows, [reset("s", partition: 0, offset: 5)])
        #expect(found == [0, 1, nil, 2, 3, 4, 0])
    }

    @Test func resetOfAnotherPartitionIsPassedOver() throws {
        let rows = (0..<3).map { row("s", $0, 1, $0) }
        #expect(try steps(rows, [reset("s", partition: 0, offset: 1)]) == [0, 1, 2])
    }
}
