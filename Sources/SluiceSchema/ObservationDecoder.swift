internal import CSimdJSON
public import SluiceCore

/// One input record, bytes borrowed from the log client or a file.
public struct InputRecord {
    /// A nil base address is a null value: the stream has ended.
    public var value: UnsafeRawBufferPointer
    /// A nil base address is a null key. Not looked at where the stream is named by a field.
    public var key: UnsafeRawBufferPointer
    /// `.absent` (or negative, Kafka's −1) when there is none.
    public var timestamp: EpochMilliseconds
    /// The value of the header `sluice-boundary`; nil base address without one.
    public var boundary: UnsafeRawBufferPointer
    /// The input offset; in files the row from 0.
    public var offset: Offset

    public init(
        value: UnsafeRawBufferPointer, key: UnsafeRawBufferPointer = UnsafeRawBufferPointer(start: nil, count: 0),
        timestamp: EpochMilliseconds = .absent,
        boundary: UnsafeRawBufferPointer = UnsafeRawBufferPointer(start: nil, count: 0), offset: Offset = 0
    ) {
        self.value = value
        self.key = key
        self.timestamp = timestamp
        self.boundary = boundary
        self.offset = offset
    }
}

/// Decodes records into columns. Confined to one thread; allocates nothing per record once its buffers have grown.
///
/// JSON: every number is read as binary64 and rounded once to Float. CSV: the same from text, an empty field is null.
public struct ObservationDecoder: ~Copyable {
    public let specification: InputSpecification
    let slots: FieldSlots
    let parser: JSONPointerParser
    var csv: CSVFields
    let isCSV: Bool
    /// What the last refusal was about, for `message`.
    var failedSlot = -1
    var failure: UnsafePointer<CChar>?

    /// Throws `configuration-invalid` for a malformed pointer or CSV columns that lack what is needed.
    public init(_ specification: InputSpecification) throws(SluiceError) {
        let slots = FieldSlots(specification)
        var roles: [CSVFields.Role]?
        if case .csv(let columns) = specification.format { roles = try slots.roles(ofColumns: columns, specification) }
        parser = try JSONPointerParser(slots.pointers)
        csv = CSVFields(roles: roles ?? [], slots: slots.names.count)
        isCSV = roles != nil
        self.slots = slots
        self.specification = specification
    }

    /// The results of the record read last.
    var values: UnsafePointer<sluice_json_value> { isCSV ? UnsafePointer(csv.values) : parser.values }

    /// Appends one observation, or nothing and says why not. `columns` has as many features as the specification.
    @inline(__always)
    public mutating func append(_ record: InputRecord, to columns: inout ObservationColumns) -> RejectCode? {
        let arenaStart = columns.arena.count
        let code = decode(record, &columns)
        if code != nil { columns.truncateArena(to: arenaStart) }
        return code
    }

    private mutating func decode(_ record: InputRecord, _ columns: inout ObservationColumns) -> RejectCode? {
        assert(columns.featureCount == specification.features.count)
        failedSlot = -1
        var row = Observation(
            time: .absent, offset: record.offset, key: .none, sequence: .none, sourceTopic: .none, sourcePartition: 0,
            label: .nan, boundary: .none, isTombstone: false)
        guard record.value.count <= Limits.observationBytes else { return .tooLarge }
        if slots.stream < 0 {
            if let code = store(key: record.key, &row, &columns) { return code }
            if record.value.baseAddress == nil {
                row.time = record.timestamp >= 0 ? record.timestamp : .absent
                row.isTombstone = true
                return columns.append(row) { _ in nil }
            }
        }
        failure = isCSV ? csv.split(record.value) : parser.parse(record.value)
        guard failure == nil else { return isCSV ? .csvInvalid : .jsonInvalid }
        let values = values
        if slots.stream >= 0 {
            if let code = fieldSource(values, &row, &columns) { return code }
        }
        if let code = time(values, record.timestamp, &row) { return code }
        if let code = marks(values, record.boundary, &row, &columns) { return code }
        if row.isTombstone {
            return columns.append(row) { _ in nil }
        }
        return columns.append(row) { out in features(values, to: out) }
    }

    /// A number a Float can hold for every feature, NaN where it is missing and may be.
    @inline(__always)
    private mutating func features(
        _ values: UnsafePointer<sluice_json_value>, to out: UnsafeMutablePointer<Float>
    ) -> RejectCode? {
        for index in 0..<specification.features.count {
            let kind = values[index].kind
            if kind == SLUICE_JSON_NUMBER || kind == SLUICE_JSON_INTEGER {
                let value = Float(values[index].number)
                out[index] = value
                if value.isFinite { continue }
            } else if kind == SLUICE_JSON_MISSING || kind == SLUICE_JSON_NULL {
                if specification.missing != .reject { continue }
            }
            failedSlot = index
            switch kind {
            case SLUICE_JSON_MISSING, SLUICE_JSON_NULL: return .featureMissing
            case SLUICE_JSON_NUMBER, SLUICE_JSON_INTEGER, SLUICE_JSON_OUT_OF_RANGE: return .numberOutOfRange
            default: return .typeMismatch
            }
        }
        return nil
    }
}
