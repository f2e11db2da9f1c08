internal import CSimdJSON
internal import SluiceCore

/// What is not a feature: whose observation, when, of which sequence, with which label.
extension ObservationDecoder {
    /// The record key: UTF-8, not null, not empty, not too long.
    @inline(__always)
    mutating func store(
        key: UnsafeRawBufferPointer, _ row: inout Observation, _ columns: inout ObservationColumns
    ) -> RejectCode? {
        guard key.count > 0 else { return .keyMissing }
        guard key.count <= Limits.keyBytes else { return .keyTooLong }
        guard isUTF8(key) else { return .keyInvalid }
        row.key = columns.store(key)
        return nil
    }

    /// Files: the field that names the stream, whether it has ended, and where the row came from.
    mutating func fieldSource(
        _ values: UnsafePointer<sluice_json_value>, _ row: inout Observation, _ columns: inout ObservationColumns
    ) -> RejectCode? {
        failedSlot = slots.stream
        let stream = values[slots.stream]
        switch stream.kind {
        case SLUICE_JSON_STRING:
            if let code = store(key: stream.bytes, &row, &columns) { return code }
        case SLUICE_JSON_MISSING, SLUICE_JSON_NULL: return .keyMissing
        default: return .keyInvalid
        }
        row.isTombstone = slots.values >= 0 && values[slots.values].kind == SLUICE_JSON_NULL

        failedSlot = slots.source
        let (topic, partition, offset) = (values[slots.source], values[slots.source + 1], values[slots.source + 2])
        if topic.isAbsent && partition.isAbsent && offset.isAbsent { return nil }
        guard topic.kind == SLUICE_JSON_STRING, topic.length > 0, partition.kind == SLUICE_JSON_INTEGER,
            offset.kind == SLUICE_JSON_INTEGER, let number = Int32(exactly: partition.integer), number >= 0,
            (0..<Offset.max).contains(offset.integer)
        else { return .sourceInvalid }
        row.sourceTopic = columns.store(topic.bytes)
        row.sourcePartition = number
        row.offset = offset.integer
        return nil
    }

    /// RFC 3339 or whole milliseconds since 1970; for lack of it the record's timestamp.
    @inline(__always)
    mutating func time(
        _ values: UnsafePointer<sluice_json_value>, _ timestamp: EpochMilliseconds, _ row: inout Observation
    ) -> RejectCode? {
        failedSlot = slots.time
        let value = values[slots.time]
        switch value.kind {
        case SLUICE_JSON_STRING:
            guard let time = Timestamp.parse(value.bytes) else { return .timeInvalid }
            row.time = time
        case SLUICE_JSON_INTEGER:
            row.time = value.integer
        case SLUICE_JSON_NUMBER:
            guard let time = EpochMilliseconds(exactly: value.number) else { return .timeInvalid }
            row.time = time
        case SLUICE_JSON_MISSING, SLUICE_JSON_NULL:
            guard slots.stream < 0, timestamp >= 0 else { return row.isTombstone ? nil : .timeMissing }
            row.time = timestamp
        case SLUICE_JSON_OUT_OF_RANGE: return .timeInvalid
        default: return .typeMismatch
        }
        return Timestamp.range.contains(row.time) ? nil : .timeInvalid
    }

    /// Boundary, sequence and label. The header wins over the field, which is then not looked at.
    @inline(__always)
    mutating func marks(
        _ values: UnsafePointer<sluice_json_value>, _ header: UnsafeRawBufferPointer, _ row: inout Observation,
        _ columns: inout ObservationColumns
    ) -> RejectCode? {
        failedSlot = slots.boundary
        if header.baseAddress != nil {
            guard let mark = BoundaryMark(header) else { return .boundaryInvalid }
            row.boundary = mark
        } else if slots.boundary >= 0, !values[slots.boundary].isAbsent {
            let value = values[slots.boundary]
            guard value.kind == SLUICE_JSON_STRING, let mark = BoundaryMark(value.bytes) else {
                return .boundaryInvalid
            }
            row.boundary = mark
        }
        if slots.sequence >= 0, !values[slots.sequence].isAbsent {
            failedSlot = slots.sequence
            let value = values[slots.sequence]
            guard value.length <= Limits.sequenceBytes else { return .sequenceTooLong }
            guard value.kind == SLUICE_JSON_STRING || value.isInteger else { return .typeMismatch }
            row.sequence = columns.store(value.bytes)
        }
        if slots.label >= 0, !values[slots.label].isAbsent {
            failedSlot = slots.label
            switch values[slots.label].kind {
            case SLUICE_JSON_BOOL: row.label = values[slots.label].boolean ? 1 : 0
            case SLUICE_JSON_NUMBER, SLUICE_JSON_INTEGER: row.label = Float(values[slots.label].number)
            default: return .labelInvalid
            }
            guard row.label.isFinite else { return .labelInvalid }
        }
        return nil
    }

    @inline(__always)
    private func isUTF8(_ bytes: UnsafeRawBufferPointer) -> Bool {
        var (all, at): (UInt64, Int) = (0, 0)
        while at + 8 <= bytes.count {
            all |= bytes.loadUnaligned(fromByteOffset: at, as: UInt64.self)
            at += 8
        }
        while at < bytes.count {
            all |= UInt64(bytes[at])
            at += 1
        }
        // ASCII, as keys mostly are.
        if all & 0x8080_8080_8080_8080 == 0 { return true }
        return sluice_is_utf8(bytes.baseAddress?.assumingMemoryBound(to: CChar.self), bytes.count)
    }
}

extension BoundaryMark {
    @inline(__always)
    init?(_ text: UnsafeRawBufferPointer) {
        if text.elementsEqual("start".utf8) {
            self = .start
        } else if text.elementsEqual("end".utf8) {
            self = .end
        } else {
            return nil
        }
    }
}

extension sluice_json_value {
    @inline(__always)
    var isAbsent: Bool { kind == SLUICE_JSON_MISSING || kind == SLUICE_JSON_NULL }

    /// Written without fraction and exponent, of any size: its digits are its name.
    var isInteger: Bool {
        kind == SLUICE_JSON_INTEGER
            || kind == SLUICE_JSON_NUMBER && bytes.allSatisfy { $0 == 0x2D || (0x30...0x39).contains($0) }
    }
}
