import SluiceCore
import SluiceSchema

/// An input record in CSV; as further parts the record's key and its header `sluice-boundary`.
struct CSVObservations: FuzzTarget {
    private static let columns = ["stream", "time", "note", "temperature", "load", "sequence", "boundary", "label"]
    private static let features = [InputSpecification.Feature("temperature"), .init("load")]

    private let file = ObservationCheck(
        specification: InputSpecification(source: .field, format: .csv(columns: Self.columns), features: Self.features),
        neighbour: ObservationCheck.Record(value: Array("\"n\"\"\",0,,1e-3,-7,\"s,\n\",end,true\r\n".utf8)))
    private let topic = ObservationCheck(
        specification: InputSpecification(
            source: .record, format: .csv(columns: ["load", "temperature", "time"]), features: Self.features),
        neighbour: ObservationCheck.Record(value: Array("1,,\"0\"".utf8), key: Array("n".utf8)))

    static func seeds() -> [Seed] {
        let records = [
            "pump-17,2026-01-01T00:05:00Z,x,71.2, 0.4 ,run-9,start,1\r\n", "0.4,71.2,1767225900000", "1,2,",
            "\"a,\"\"b\"\"\nc\",1,,\"1\",,\"\",,true\n", "a,1,,,,,,", "nan,1e400,soon", "a,-1.5e-3,9",
        ]
        let header = Array("1,2,".utf8) + [0xFF] + Array("k".utf8) + [0xFF] + Array("start".utf8)
        return records.enumerated().map { Seed("seed-\($0)", $1) } + [Seed("seed-header", header)]
    }

    func run(_ bytes: UnsafeRawBufferPointer) throws {
        let parts = bytes.parts
        let record = ObservationCheck.Record(
            value: parts[0], key: parts.count > 1 ? parts[1] : Array("pump".utf8),
            boundary: parts.count > 2 ? parts[2] : nil, timestamp: 5)
        _ = try topic.row(record)
        guard let row = try file.row(record) else { return }
        let written = Self.written(row)
        let again = try file.row(ObservationCheck.Record(value: written))
        check(again == row, "a row reads back as it is written: \(String(decoding: written, as: UTF8.self))")
    }

    private static func written(_ row: ObservationCheck.Row) -> [UInt8] {
        func number(_ bits: UInt32) -> String {
            let value = Float(bitPattern: bits)
            return value.isNaN ? "" : "\(value)"
        }
        func quoted(_ text: [UInt8]) -> [UInt8] { [0x22] + text.flatMap { $0 == 0x22 ? [$0, $0] : [$0] } + [0x22] }
        let boundary = row.boundary == .none ? "" : "\(row.boundary)"
        let fields: [[UInt8]] = [
            quoted(row.key), Array((row.time % 2 == 0 ? "\(row.time)" : Timestamp.text(row.time)).utf8), [],
            Array(number(row.features[0]).utf8), Array(number(row.features[1]).utf8), row.sequence.map(quoted) ?? [],
            Array(boundary.utf8), Array(number(row.label).utf8),
        ]
        return Array(fields.joined(separator: [0x2C]))
    }
}
