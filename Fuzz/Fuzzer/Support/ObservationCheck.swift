import SluiceCore
import SluiceSchema

/// Decodes a record alone and among others, and holds the results to what `ObservationColumns` promises.
struct ObservationCheck: Sendable {
    /// A decoded row by value, floats by their bits.
    struct Row: Equatable {
        var key: [UInt8]
        var time: EpochMilliseconds
        var features: [UInt32]
        var sequence: [UInt8]?
        var boundary: BoundaryMark
        var label: UInt32
        var isTombstone: Bool
        var sourceTopic: [UInt8]?
        var sourcePartition: Int32
        var offset: Offset
    }

    enum Outcome: Equatable {
        case row(Row)
        case reject(RejectCode, message: String)

        var row: Row? { if case .row(let row) = self { row } else { nil } }
    }

    struct Record: Sendable {
        var value: [UInt8]?
        var key: [UInt8]?
        var boundary: [UInt8]?
        var timestamp = EpochMilliseconds.absent
    }

    let specification: InputSpecification
    /// A record that decodes, for company.
    let neighbour: Record

    /// The row of a record, nil for a reject.
    func row(_ record: Record) throws -> Row? {
        let alone = try decode([record])[0]
        let among = try decode([neighbour, record, neighbour, record])
        check(among[1] == alone && among[3] == alone, "a record decodes to the same in every batch")
        check(among[0] == among[2] && among[0].row != nil, "a record leaves no trace in others")
        guard let row = alone.row else { return nil }
        hold(row)
        try compareWithMissingRefused(record, row)
        return row
    }

    private func hold(_ row: Row) {
        check((1...Limits.keyBytes).contains(row.key.count), "a key has a length within its limit")
        check(String(validating: row.key, as: UTF8.self) != nil, "a key is UTF-8")
        if let sequence = row.sequence {
            check(sequence.count <= Limits.sequenceBytes, "a sequence id keeps to its limit")
            check(String(validating: sequence, as: UTF8.self) != nil, "a sequence id is UTF-8")
        }
        check(row.features.allSatisfy { !Float(bitPattern: $0).isInfinite }, "a feature is finite or missing")
        check(!Float(bitPattern: row.label).isInfinite, "a label is finite or none")
        if row.isTombstone {
            check(row.features.allSatisfy { Float(bitPattern: $0).isNaN }, "a tombstone has no features")
        } else {
            check(Timestamp.range.contains(row.time), "a time lies within its range")
            let text = Timestamp.text(row.time)
            check(Timestamp.parse(text) == row.time, "a time reads back as it is written: \(text)")
        }
        check(row.offset >= 0 && row.sourcePartition >= 0, "a source is a place in a log")
    }

    /// A feature is NaN exactly where it is missing: where missing features are refused, this record is refused for
    /// one or has none.
    private func compareWithMissingRefused(_ record: Record, _ row: Row) throws {
        var strict = specification
        strict.missing = .reject
        let outcome = try ObservationCheck(specification: strict, neighbour: neighbour).decode([record])[0]
        let hasMissing = row.features.contains { Float(bitPattern: $0).isNaN }
        if row.isTombstone || !hasMissing {
            check(outcome == .row(row), "nothing is missing: \(outcome)")
        } else if case .reject(let code, _) = outcome {
            check(code == .featureMissing, "only a missing feature is NaN, not one refused as \(code)")
        } else {
            fail("a missing feature is refused where it shall be")
        }
    }

    private func decode(_ records: [Record]) throws -> [Outcome] {
        var decoder = try ObservationDecoder(specification)
        // One row of room, so that the columns grow.
        var columns = ObservationColumns(featureCount: specification.features.count, rowsExpected: 1)
        var outcomes: [Outcome] = []
        for record in records {
            let (rows, bytes) = (columns.count, columns.arena.count)
            let code = withBytes(record.value) { value in
                withBytes(record.key) { key in
                    withBytes(record.boundary) { boundary in
                        let input = InputRecord(
                            value: value, key: key, timestamp: record.timestamp, boundary: boundary)
                        return decoder.append(input, to: &columns)
                    }
                }
            }
            if let code {
                check(columns.count == rows && columns.arena.count == bytes, "a reject leaves nothing behind")
                outcomes.append(.reject(code, message: decoder.message(for: code)))
            } else {
                check(columns.count == rows + 1, "an observation is one row")
                outcomes.append(.row(Self.row(rows, columns)))
            }
        }
        // What was decoded first must have survived what came behind it.
        for (index, row) in outcomes.compactMap(\.row).enumerated() {
            check(Self.row(index, columns) == row, "a row stays as it is while others are appended")
        }
        return outcomes
    }

    private static func row(_ index: Int, _ columns: borrowing ObservationColumns) -> Row {
        let row = columns.rows[index]
        let features = columns.features(index)
        return Row(
            key: Array(columns.bytes(row.key)), time: row.time,
            features: (0..<columns.featureCount).map {
                features[$0].isNaN ? Float.nan.bitPattern : features[$0].bitPattern
            },
            sequence: row.sequence.isNone ? nil : Array(columns.bytes(row.sequence)), boundary: row.boundary,
            label: row.label.isNaN ? Float.nan.bitPattern : row.label.bitPattern, isTombstone: row.isTombstone,
            sourceTopic: row.sourceTopic.isNone ? nil : Array(columns.bytes(row.sourceTopic)),
            sourcePartition: row.sourcePartition, offset: row.offset)
    }
}
