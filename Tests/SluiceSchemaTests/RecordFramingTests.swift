import SluiceCore
import Testing

@testable import SluiceSchema

/// Where records end in a file of many.
@Suite struct RecordFramingTests {
    /// The records of a text that arrives in pieces of so many bytes, `!` before those with an unclosed quote.
    private func records(_ text: String, pieces: Int, isCSV: Bool = true) -> [String] {
        let bytes = Array(text.utf8)
        var framing = RecordFraming(isCSV: isCSV)
        var found: [String] = []
        var (start, end) = (0, 0)
        while start < bytes.count {
            let record = bytes[start..<end].withUnsafeBytes { framing.record(in: $0, isAtEnd: end == bytes.count) }
            guard let record else {
                end = min(end + pieces, bytes.count)
                continue
            }
            let text = String(decoding: bytes[start..<start + record.length], as: UTF8.self)
            found.append((record.isUnclosed ? "!" : "") + text)
            #expect(
                record.lines == max(1, text.split(separator: "\n", omittingEmptySubsequences: false).count - 1)
                    || !text.hasSuffix("\n"))
            start += record.length
        }
        return found
    }

    private static let files: [(text: String, records: [String])] = [
        ("a,b\n\nc\r\nd", ["a,b\n", "\n", "c\r\n", "d"]),
        ("\"a\n\"\"b\",1\r\nc,2\n", ["\"a\n\"\"b\",1\r\n", "c,2\n"]),
        ("a,\"b\"\nc,\"\"\n", ["a,\"b\"\n", "c,\"\"\n"]),
        ("\"a\nb\"", ["\"a\nb\""]),
        // Quotes where none may be cost their line.
        ("a\"b,\"c\nd\n", ["a\"b,\"c\n", "d\n"]),
        ("\"a\"b,\"c\nd\n", ["\"a\"b,\"c\n", "d\n"]),
        // Never closed, or closed where no field ends.
        ("a,\"1\nb,2\nc,3", ["!a,\"1\n", "b,2\n", "c,3"]),
        ("a,\"1\nb,\"2\"\nc,3\n", ["!a,\"1\n", "b,\"2\"\n", "c,3\n"]),
        ("a,\"1", ["!a,\"1"]),
        // The line of the quote, not the first of the record.
        ("\"a\nb\",\"c\nd,\"e\nf\n", ["!\"a\nb\",\"c\n", "!d,\"e\n", "f\n"]),
    ]

    @Test(arguments: [1, 2, 3, 1_000]) func recordsEndAlikeHoweverTheirBytesArrive(pieces: Int) {
        for file in Self.files { #expect(records(file.text, pieces: pieces) == file.records) }
        #expect(records("\"a\n\nb\"", pieces: pieces, isCSV: false) == ["\"a\n", "\n", "b\""])
    }

    @Test func quotesMayRunOverLinesOnlySoFar() {
        let line = String(repeating: "x", count: 99) + "\n"
        let fits = "\"" + String(repeating: line, count: Limits.quotedRecordBytes / 100 - 1) + "\",1\n"
        #expect(records(fits, pieces: 1_000) == [fits])
        let lines = [String](repeating: line, count: Limits.quotedRecordBytes / 100 + 1)
        let tooFar = records("\"" + lines.joined() + "\",1\n", pieces: 1_000)
        #expect(tooFar.first == "!\"" + line && tooFar.count == lines.count + 1)
        // Within a line there is no such limit.
        let long = "\"" + String(repeating: "x", count: 2 * Limits.quotedRecordBytes) + "\",1\n"
        #expect(records(long + long, pieces: 9_999) == [long, long])
    }
}
