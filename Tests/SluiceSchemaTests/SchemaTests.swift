import Foundation
import SluiceCore
import SluiceTestKit
import Testing

@testable import SluiceSchema

/// `schemas/` against what the code reads and writes.
@Suite struct SchemaTests {
    static let names = ["observation", "prediction", "reject", "command", "event", "model", "data", "head"]

    static func json(_ file: String) throws -> Any {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        return try JSONSerialization.jsonObject(with: Data(contentsOf: root.appending(path: "schemas/\(file)")))
    }

    static func schema(_ name: String) throws -> [String: Any] {
        try #require(try json("\(name).schema.json") as? [String: Any])
    }

    static func examples(_ name: String) throws -> [[String: Any]] {
        try #require(try schema(name)["examples"] as? [[String: Any]])
    }

    static func bytes(_ value: Any) throws -> [UInt8] { Array(try JSONSerialization.data(withJSONObject: value)) }

    @Test(arguments: names) func everyExampleConforms(_ name: String) throws {
        for example in try Self.examples(name) {
            #expect(SchemaValidator.problems(example, try Self.schema(name)) == [])
        }
    }

    @Test func everyExampleObservationIsDecodedAsItSays() throws {
        for example in try Self.examples("observation") {
            let row = try #require(try decode(Self.bytes(example), key: nil, as: pumps(.field)).row)
            #expect(row.key == example["stream"] as? String)
            let values = example["values"] as? [String: Any]
            #expect(row.isTombstone == (values == nil))
            #expect(
                row.features
                    == ["temperature", "load"].map { (values?[$0] as? NSNumber).map { Float($0.doubleValue) } })
            #expect(row.boundary == (example["boundary"] == nil ? BoundaryMark.none : .start))
            #expect(row.label == (example["label"] == nil ? nil : 1))
            #expect(row.sequence == example["sequence"].map { "\($0)" })
            #expect(row.topic == (example["source"] as? [String: Any])?["topic"] as? String)
            #expect(
                row.time == (example["values"] is NSNull ? 1_767_226_200_000 : 1_767_225_900_000 + row.time % 1_000))
        }
    }

    @Test func everyInvalidObservationIsRefusedWithItsCode() throws {
        let schema = try Self.schema("observation")
        for example in try #require(try Self.json("observation.invalid.json") as? [[String: Any]]) {
            let (code, value) = (try #require(example["code"] as? String), try #require(example["value"]))
            #expect(try decode(Self.bytes(value), key: nil, as: pumps(.field)).code == code, "\(value)")
            // What the schema cannot say: that a member is needed in files, the calendar, the range of Float.
            let beyondSchema: Set = ["key-missing", "time-missing", "time-invalid", "number-out-of-range"]
            #expect(beyondSchema.contains(code) || !SchemaValidator.problems(value, schema).isEmpty, "\(value)")
        }
    }

    @Test func predictionsConform() throws {
        let schema = try Self.schema("prediction")
        let heads: [PredictionLayout.Head] = [
            .point, .gaussian, .quantile([0.1, 0.5, 0.9]), .quantile([0.5]), .probabilities(1), .probabilities(3),
        ]
        for head in heads {
            let layout = PredictionLayout(version: "v7", targets: ["a", "b\"/"], horizons: [1, 6], head: head)
            for (anomaly, sequence) in [(nil, nil), (0.5, "s\u{0}")] as [(Float?, String?)] {
                let text = encode(
                    layout, stream: "ü\n", sequence: sequence,
                    outputs: (0..<layout.outputCount).map { Float($0) / 8 }, anomaly: anomaly)
                let value = try JSONSerialization.jsonObject(with: Data(text.utf8))
                #expect(SchemaValidator.problems(value, schema) == [])
            }
        }
    }

    @Test func commandsAndEventsConformBothWays() throws {
        let decoder = try MessageDecoder()
        for example in try Self.examples("command") {
            let command = try Self.bytes(example).withUnsafeBytes { try decoder.command($0) }
            try expectSame(example) { command.encode(into: &$0) }
        }
        for example in try Self.examples("event") {
            let event = try Self.bytes(example).withUnsafeBytes { try decoder.event($0) }
            try expectSame(example) { event.encode(into: &$0) }
        }
    }

    private func expectSame(_ example: [String: Any], _ write: (inout ByteArena) -> Range<Int>) throws {
        var arena = ByteArena(capacity: 64)
        let range = write(&arena)
        let value = try JSONSerialization.jsonObject(with: Data(arena.bytes(range)))
        #expect((value as? NSDictionary) == (example as NSDictionary))
    }

    @Test func rejectHeadersAndCodesConform() throws {
        let schema = try Self.schema("reject")
        let codes =
            (schema["properties"] as? [String: [String: Any]])?[RejectMessage.Header.error]?["enum"] as? [String]
        #expect(codes == RejectCode.allCases.map(\.text))
        let message = RejectMessage(code: .late, message: "m", topic: "t", partition: 0, offset: 0)
        var arena = ByteArena(capacity: 64)
        let large = [UInt8](repeating: 0, count: 20_000)
        let encoded = withBytes(large) { message.encode(key: $0, value: $0, bytesMax: 1_000, into: &arena) }
        var headers: [String: String] = [:]
        for header in encoded.headers {
            headers[header.name] = String(decoding: arena.bytes(header.value), as: UTF8.self)
        }
        #expect(headers.count == 6)
        #expect(SchemaValidator.problems(headers, schema) == [])
    }
}
