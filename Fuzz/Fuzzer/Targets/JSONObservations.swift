import Foundation
import SluiceCore
import SluiceSchema

/// The value of an input record in JSON; as further parts the record's key and its header `sluice-boundary`.
struct JSONObservations: FuzzTarget {
    private static let features = [InputSpecification.Feature("temperature"), .init("load")]

    private let topic = ObservationCheck(
        specification: InputSpecification(source: .record, features: Self.features), neighbour: Self.neighbour)
    private let file = ObservationCheck(
        specification: InputSpecification(source: .field, features: Self.features), neighbour: Self.neighbour)
    /// Pointers as they are rarely written: into lists, with escapes, to the same place twice.
    private let odd = ObservationCheck(
        specification: InputSpecification(
            source: .field,
            features: [
                .init("a", "/values/0"), .init("b", "/values/2/load"), .init("c", "/a~1b/m~0n"),
                .init("d", "/values/0"), .init("e", "/source/offset"), .init("f", "/"),
            ], time: "/values/1", label: "/values/0", sequence: "/stream"),
        neighbour: ObservationCheck.Record(value: Array(#"{"stream":"n","values":[1,2,{"load":3}],"":4}"#.utf8)))

    private static let neighbour = ObservationCheck.Record(
        value: Array(
            #"{"stream":"n\u00e9","label":true,"sequence":"s\n","time":0,"values":{"load":1e-3,"temperature":-7}}"#
                .utf8), key: Array("n".utf8))

    static func seeds() throws -> [Seed] {
        let valid = try Repository.examples("observation.schema.json")
        let invalid = try Repository.examples("observation.invalid.json").compactMap { line in
            line.firstRange(of: "\"value\": ").map { String(line[$0.upperBound...].dropLast()) }
        }
        let own = [
            #"{"stream":"a","values":[1,2,{"load":3}],"a/b":{"m~n":4},"":5}"#,
            #"{"time":1,"x":"\u00e9\ud83d\ude00\\\/","values":{"load":12345678901234567890e-5,"temperature":-0.0}}"#,
        ]
        let header = Array(#"{"time":0}"#.utf8) + [0xFF] + Array("k".utf8) + [0xFF] + Array("end".utf8)
        return (valid + invalid + own).enumerated().map { Seed("seed-\($0)", $1) } + [Seed("seed-header", header)]
    }

    func run(_ bytes: UnsafeRawBufferPointer) throws {
        let parts = bytes.parts
        var record = ObservationCheck.Record(
            value: parts[0], key: parts.count > 1 ? parts[1] : Array("pump".utf8),
            boundary: parts.count > 2 ? parts[2] : nil, timestamp: 5)
        if let row = try topic.row(record) { try compareWithWritten(row, by: topic) }
        if let row = try file.row(record) {
            check(Self.isJSON(parts[0]), "another reader takes for JSON what this one does")
            try compareWithWritten(row, by: file)
        }
        _ = try odd.row(record)
        record.value = nil
        if let row = try topic.row(record) { check(row.isTombstone, "a null value ends its stream") }
    }

    /// A row that is written as JSON by the service's own means reads back to the same bits.
    private func compareWithWritten(_ row: ObservationCheck.Row, by decoder: ObservationCheck) throws {
        var json = ByteArena(capacity: 64)
        json.append("{\"stream\":")
        row.key.withUnsafeBytes { json.appendJSON($0) }
        if row.time != .absent {
            json.append(",\"time\":")
            if row.time % 2 == 0 { json.appendJSON(row.time) } else { json.appendJSON(time: row.time) }
        }
        json.append(",\"values\":")
        json.append(row.isTombstone ? "null" : "{\"temperature\":")
        if !row.isTombstone {
            json.appendJSON(Float(bitPattern: row.features[0]))
            json.append(",\"load\":")
            json.appendJSON(Float(bitPattern: row.features[1]))
            json.append("}")
        }
        Self.appendMarks(row, to: &json)
        json.append("}")
        let again = try decoder.row(ObservationCheck.Record(value: Array(json.bytes), key: row.key))
        check(again == row, "a row reads back as it is written: \(String(decoding: json.bytes, as: UTF8.self))")
    }

    private static func appendMarks(_ row: ObservationCheck.Row, to json: inout ByteArena) {
        if let sequence = row.sequence {
            json.append(",\"sequence\":")
            sequence.withUnsafeBytes { json.appendJSON($0) }
        }
        if row.boundary != .none { json.append(",\"boundary\":\"\(row.boundary)\"" as String) }
        json.append(",\"label\":")
        json.appendJSON(Float(bitPattern: row.label))
        guard let topic = row.sourceTopic else { return }
        json.append(",\"source\":{\"topic\":")
        topic.withUnsafeBytes { json.appendJSON($0) }
        json.append(",\"partition\":")
        json.appendJSON(Int64(row.sourcePartition))
        json.append(",\"offset\":")
        json.appendJSON(row.offset)
        json.append("}")
    }

    private static func isJSON(_ bytes: [UInt8]) -> Bool {
        (try? JSONSerialization.jsonObject(with: Data(shortened(bytes)))) != nil
    }

    /// With fewer digits where there are many: the other reader refuses numbers beyond binary64, which are JSON too.
    private static func shortened(_ bytes: [UInt8]) -> [UInt8] {
        var (digits, limit) = (0, 15)
        return bytes.filter { byte in
            if UInt8(ascii: "0")...UInt8(ascii: "9") ~= byte {
                digits += 1
                return digits <= limit
            }
            let isSign = byte == UInt8(ascii: "+") || byte == UInt8(ascii: "-")
            // Of an exponent, behind its sign too, two; an escape's "\ue123" is none.
            let isExponent = byte | 0x20 == UInt8(ascii: "e") && digits > 0
            limit = isExponent || isSign && digits == 0 && limit == 2 ? 2 : 15
            digits = 0
            return true
        }
    }
}
