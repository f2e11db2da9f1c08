import SluiceCore
import SluiceTestKit

@testable import SluiceSchema

/// One decoded row, copied out of its columns.
struct Row: Equatable {
    var key: String
    var time: EpochMilliseconds
    var features: [Float?]
    var sequence: String?
    var boundary: BoundaryMark
    var label: Float?
    var isTombstone: Bool
    var topic: String?
    var partition: Int32
    var offset: Offset
}

enum Outcome: Equatable {
    case row(Row)
    case reject(String, message: String)

    var code: String? {
        if case .reject(let code, _) = self { code } else { nil }
    }

    var row: Row? {
        if case .row(let row) = self { row } else { nil }
    }
}

func pumps(
    _ source: InputSpecification.Source, format: InputSpecification.Format = .json, missing: MissingPolicy = .carry
) -> InputSpecification {
    InputSpecification(
        source: source, format: format, features: [.init("temperature"), .init("load")], missing: missing)
}

/// Decodes one record; what was refused must have left the columns as they were.
func decode(
    _ value: [UInt8]?, key: [UInt8]? = Array("pump-17".utf8), timestamp: EpochMilliseconds = .absent,
    header: [UInt8]? = nil, as specification: InputSpecification = pumps(.record)
) throws -> Outcome {
    var decoder = try ObservationDecoder(specification)
    var columns = ObservationColumns(featureCount: specification.features.count, rowsExpected: 4)
    let code = withBytes(value) { value in
        withBytes(key) { key in
            withBytes(header) { header in
                decoder.append(
                    InputRecord(value: value, key: key, timestamp: timestamp, boundary: header, offset: 42),
                    to: &columns)
            }
        }
    }
    if let code {
        precondition(columns.count == 0 && columns.arena.count == 0)
        return .reject(code.text, message: decoder.message(for: code))
    }
    return .row(row(0, of: columns))
}

func decode(
    _ value: String, timestamp: EpochMilliseconds = .absent, header: String? = nil,
    as specification: InputSpecification = pumps(.record)
) throws -> Outcome {
    try decode(
        Array(value.utf8), timestamp: timestamp, header: header.map { Array($0.utf8) }, as: specification)
}

func row(_ index: Int, of columns: borrowing ObservationColumns) -> Row {
    let row = columns.rows[index]
    func text(_ range: ByteRange) -> String? {
        range.isNone ? nil : String(decoding: columns.bytes(range), as: UTF8.self)
    }
    let features = UnsafeBufferPointer(start: columns.features(index), count: columns.featureCount)
    return Row(
        key: text(row.key) ?? "", time: row.time, features: features.map { $0.isNaN ? nil : $0 },
        sequence: text(row.sequence), boundary: row.boundary, label: row.label.isNaN ? nil : row.label,
        isTombstone: row.isTombstone, topic: text(row.sourceTopic), partition: row.sourcePartition, offset: row.offset)
}
