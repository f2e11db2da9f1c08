internal import CSimdJSON
internal import SluiceCore

/// Splits one CSV record (RFC 4180) into the same results a JSON document gives. Owner of the results.
///
/// A field may be quoted, `""` in it is a quote; an empty field that is not quoted is null; blanks around a field
/// that is not quoted do not count. The record may end in CR, LF or both.
struct CSVFields: ~Copyable {
    /// What a column's text becomes.
    enum Role: Sendable, Equatable {
        case ignored
        case text(slot: Int)
        case number(slot: Int)
        /// Digits are milliseconds, anything else is left to the RFC 3339 parser.
        case time(slot: Int)
        /// A number, `true` or `false`.
        case label(slot: Int)
    }

    private let roles: [Role]
    private let slots: Int
    let values: UnsafeMutablePointer<sluice_json_value>
    /// The record, and zeros behind it: fields are looked at eight bytes at a time.
    private var line = ByteArena(capacity: 256)
    private static let padding = 32
    /// Quoted fields without their doubled quotes.
    private var unquoted = ByteArena(capacity: 256)

    init(roles: [Role], slots: Int) {
        self.roles = roles
        self.slots = slots
        values = .allocate(capacity: max(1, slots))
        values.initialize(repeating: sluice_json_value(), count: max(1, slots))
    }

    deinit { values.deallocate() }

    /// Nil when the record is good, else what is wrong with it (a constant).
    mutating func split(_ record: UnsafeRawBufferPointer) -> UnsafePointer<CChar>? {
        for slot in 0..<slots { values[slot].kind = SLUICE_JSON_MISSING }
        guard let base = record.baseAddress, record.count > 0 else { return Self.reason("it is empty") }
        guard sluice_is_utf8(base.assumingMemoryBound(to: CChar.self), record.count) else {
            return Self.reason("it is not UTF-8")
        }
        let record = copy(record)
        unquoted.removeAll()
        _ = unquoted.reserve(record.count + Self.padding)
        var end = record.count
        if record[end - 1] == 0x0A { end -= 1 }
        if end > 0, record[end - 1] == 0x0D { end -= 1 }
        var at = 0
        for column in roles.indices {
            let isQuoted = at < end && record[at] == 0x22
            guard let (field, next) = isQuoted ? quoted(record, at, end) : plain(record, at, end) else {
                return Self.reason("a quote is not closed, or stands where none may be")
            }
            deliver(field, isQuoted, roles[column])
            let isLast = column + 1 == roles.count
            if isLast != (next == end) {
                return Self.reason(isLast ? "it has more fields than there are columns" : "it has too few fields")
            }
            at = next + 1
        }
        return nil
    }

    private mutating func copy(_ record: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
        line.removeAll()
        let start = line.reserve(record.count + Self.padding)
        start.copyMemory(from: record.baseAddress ?? UnsafeRawPointer(start), byteCount: record.count)
        (start + record.count).initializeMemory(as: UInt8.self, repeating: 0, count: Self.padding)
        return UnsafeRawBufferPointer(start: start, count: record.count)
    }

    private static func reason(_ text: StaticString) -> UnsafePointer<CChar> {
        UnsafeRawPointer(text.utf8Start).assumingMemoryBound(to: CChar.self)
    }

    /// The field that starts at `at`, and where its comma or the end is; nil for a stray quote.
    private func plain(
        _ record: UnsafeRawBufferPointer, _ at: Int, _ end: Int
    ) -> (UnsafeRawBufferPointer, next: Int)? {
        guard let base = record.baseAddress else { return nil }
        var next = at
        while next < end {
            let word = UInt64(littleEndian: base.loadUnaligned(fromByteOffset: next, as: UInt64.self))
            let found = zeroBytes(word ^ 0x2C2C_2C2C_2C2C_2C2C) | zeroBytes(word ^ 0x2222_2222_2222_2222)
            next += found.trailingZeroBitCount / 8
            if found != 0 { break }
        }
        next = min(next, end)
        if next < end, record[next] == 0x22 { return nil }
        var (first, last) = (at, next)
        while first < last, record[first] == 0x20 || record[first] == 0x09 { first += 1 }
        while first < last, record[last - 1] == 0x20 || record[last - 1] == 0x09 { last -= 1 }
        return (UnsafeRawBufferPointer(rebasing: record[first..<last]), next)
    }

    /// Marks the highest bit of the first byte that is zero, and perhaps of some behind it.
    @inline(__always)
    private func zeroBytes(_ word: UInt64) -> UInt64 { (word &- 0x0101_0101_0101_0101) & ~word & 0x8080_8080_8080_8080 }

    private mutating func quoted(
        _ record: UnsafeRawBufferPointer, _ at: Int, _ end: Int
    ) -> (UnsafeRawBufferPointer, next: Int)? {
        let start = unquoted.count
        var next = at + 1
        while next < end {
            if record[next] == 0x22 {
                if next + 1 == end || record[next + 1] == 0x2C {
                    return (unquoted.bytes(start..<unquoted.count), next + 1)
                }
                guard record[next + 1] == 0x22 else { return nil }
                next += 1
            }
            unquoted.append(record[next])
            next += 1
        }
        return nil
    }

    private func deliver(_ field: UnsafeRawBufferPointer, _ isQuoted: Bool, _ role: Role) {
        switch role {
        case .ignored: return
        case .text(let slot), .number(let slot), .time(let slot), .label(let slot):
            values[slot].text = field.baseAddress?.assumingMemoryBound(to: CChar.self)
            values[slot].length = UInt32(field.count)
            values[slot].kind = SLUICE_JSON_STRING
            if field.isEmpty {
                if !isQuoted { values[slot].kind = SLUICE_JSON_NULL }
                return
            }
        }
        switch role {
        case .number(let slot): number(field, slot)
        case .time(let slot):
            let isNumber = field[0] == 0x2D || field.allSatisfy { (0x30...0x39).contains($0) }
            if isNumber { number(field, slot) }
        case .label(let slot):
            let isTrue = field.elementsEqual("true".utf8)
            if isTrue || field.elementsEqual("false".utf8) {
                values[slot].kind = SLUICE_JSON_BOOL
                values[slot].boolean = isTrue
            } else {
                number(field, slot)
            }
        case .ignored, .text: return
        }
    }

    private func number(_ field: UnsafeRawBufferPointer, _ slot: Int) {
        values[slot].kind = sluice_parse_double(
            field.baseAddress?.assumingMemoryBound(to: CChar.self), field.count, &values[slot].number)
    }
}

extension FieldSlots {
    /// What each column becomes. Throws `configuration-invalid` for a column given twice or one that is needed and
    /// not there.
    func roles(ofColumns columns: [String], _ specification: InputSpecification) throws(SluiceError) -> [CSVFields.Role]
    {
        var needed = specification.features.map(\.name)
        if stream >= 0 { needed += ["stream", "time"] }
        for name in needed where columns.count(where: { $0 == name }) != 1 {
            throw SluiceError(
                .invalidConfiguration, "the CSV columns \(columns) must have \"\(name)\" once",
                remedy: "the columns are stream, time, one per feature, and optionally sequence, boundary, label")
        }
        return columns.map { name in
            if let feature = specification.features.firstIndex(where: { $0.name == name }) {
                return .number(slot: feature)
            }
            switch name {
            case "stream": return stream >= 0 ? .text(slot: stream) : .ignored
            case "time": return .time(slot: time)
            case "label" where label >= 0: return .label(slot: label)
            case "sequence" where sequence >= 0: return .text(slot: sequence)
            case "boundary" where boundary >= 0: return .text(slot: boundary)
            default: return .ignored
            }
        }
    }
}
