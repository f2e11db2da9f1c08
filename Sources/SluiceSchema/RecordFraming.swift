internal import Glibc
internal import SluiceCore

/// Finds where the record at hand ends in the bytes of a file of many, however they arrive.
///
/// NDJSON: a record is a line. CSV: a line, but line ends within quotes do not count. A quote opens only where a field
/// begins and closes only where one ends. One that is not closed so within `Limits.quotedRecordBytes` of the record's
/// beginning, or by the end of the file, takes no further line with it: the record ends with the line of the quote.
///
/// Each byte is looked at once, but for the lines behind such a quote.
public struct RecordFraming {
    public struct Record: Equatable {
        /// With its line end.
        public var length: Int
        /// Lines that it runs over.
        public var lines = 1
        /// Its last line opens a quote that is not closed.
        public var isUnclosed = false
    }

    private enum Place {
        case fieldStart, field, quoted
        /// Behind a quote within quotes: the field ends, or the next is a quote too and both stand for one.
        case closing
        /// Behind a quote where none may be: the line is no record, and quotes mean nothing until its end.
        case broken
    }

    private let isCSV: Bool
    private var place = Place.fieldStart
    /// Bytes of the record looked at.
    private var scanned = 0
    /// Line ends among them, all within quotes.
    private var lineEnds = 0
    /// The record up to the first line end within the quotes that opened last.
    private var cut: Record?

    public init(isCSV: Bool) { self.isCSV = isCSV }

    /// The record that the bytes begin with; nil if its end is not among them: the next call has the same bytes and
    /// more.
    ///
    /// - Parameter isAtEnd: there are no more: what is left is the last record.
    public mutating func record(in bytes: UnsafeRawBufferPointer, isAtEnd: Bool) -> Record? {
        var found = isCSV ? csvRecord(bytes) : line(bytes)
        if found == nil, isAtEnd, bytes.count > 0 {
            found = Record(length: bytes.count, lines: lineEnds + 1, isUnclosed: place == .quoted)
            if place == .quoted, let cut { found = cut }
        }
        if found != nil { self = RecordFraming(isCSV: isCSV) }
        return found
    }

    /// Gives up the record at hand, which ends with the line at hand; the next one begins behind it.
    ///
    /// - Returns: the lines that it runs over.
    public mutating func abandon() -> Int {
        defer { self = RecordFraming(isCSV: isCSV) }
        return lineEnds + 1
    }

    private mutating func line(_ bytes: UnsafeRawBufferPointer) -> Record? {
        let start = scanned
        scanned = bytes.count
        return Self.line(in: UnsafeRawBufferPointer(rebasing: bytes[start...])).map { Record(length: start + $0) }
    }

    /// The length of the first line with its line end; nil if that is not among the bytes.
    public static func line(in bytes: UnsafeRawBufferPointer) -> Int? {
        guard let start = bytes.baseAddress, let end = memchr(start, 0x0A, bytes.count) else { return nil }
        return UnsafeRawPointer(end) - start + 1
    }

    private mutating func csvRecord(_ bytes: UnsafeRawBufferPointer) -> Record? {
        var (place, index) = (place, scanned)
        defer { (self.place, scanned) = (place, index) }
        while index < bytes.count {
            let byte = bytes[index]
            index += 1
            switch place {
            case .quoted:
                if byte == 0x22 { place = .closing }
                if byte == 0x0A {
                    lineEnds += 1
                    if cut == nil { cut = Record(length: index, lines: lineEnds, isUnclosed: true) }
                }
                if let cut, index > Limits.quotedRecordBytes { return cut }
            case _ where byte == 0x0A: return Record(length: index, lines: lineEnds + 1)
            case .fieldStart:
                place = byte == 0x22 ? .quoted : byte == 0x2C ? .fieldStart : .field
                cut = nil
            case .field:
                if byte == 0x2C { place = .fieldStart }
                if byte == 0x22 { place = .broken }
            case .closing where byte == 0x22: place = .quoted
            case .closing where byte == 0x2C: place = .fieldStart
            case .closing where byte != 0x0D:
                if let cut { return cut }
                place = .broken
            case .closing, .broken: break
            }
        }
        return nil
    }
}

extension RecordFraming {
    /// The column names of a CSV file's header line; a byte order mark before them is passed over. Nil when it is
    /// malformed.
    public static func header(_ line: UnsafeRawBufferPointer) -> [String]? {
        let mark: [UInt8] = [0xEF, 0xBB, 0xBF]
        let text = line.starts(with: mark) ? UnsafeRawBufferPointer(rebasing: line[mark.count...]) : line
        var isQuoted = false
        var count = 1
        for byte in text {
            if byte == 0x22 { isQuoted.toggle() }
            if byte == 0x2C && !isQuoted { count += 1 }
        }
        var fields = CSVFields(roles: (0..<count).map { .text(slot: $0) }, slots: count)
        guard fields.split(text) == nil else { return nil }
        return (0..<count).map { fields.values[$0].string }
    }
}
