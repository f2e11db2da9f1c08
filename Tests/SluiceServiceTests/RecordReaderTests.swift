import Foundation
import SluiceCore
import SluiceSchema
import Testing

@testable import SluiceService

/// Files of records, read in bounded pieces.
@Suite struct RecordReaderTests {
    private func records(_ content: [UInt8], _ format: RecordReader.FileFormat) throws -> [String] {
        try rows(content, format).records
    }

    private func rows(
        _ content: [UInt8], _ format: RecordReader.FileFormat
    ) throws -> (records: [String], refusals: [RecordReader.Refusal]) {
        let path = FileManager.default.temporaryDirectory.appendingPathComponent("reader-\(UUID().uuidString)").path
        defer { try? FileManager.default.removeItem(atPath: path) }
        #expect(FileManager.default.createFile(atPath: path, contents: Data(content)))
        let reader = try RecordReader(path, fileFormat: format)
        var (found, refusals) = ([String](), [RecordReader.Refusal]())
        while try reader.next(
            limit: 2,
            { rows in
                for row in rows {
                    if let refusal = row.refusal { refusals.append(refusal) }
                    found.append(String(decoding: row.bytes, as: UTF8.self))
                }
            })
        {}
        return (found, refusals)
    }

    @Test func byteOrderMarkIsPassedOver() throws {
        #expect(try records([0xEF, 0xBB, 0xBF] + Array("{}\n{}".utf8), .ndjson) == ["{}", "{}"])
    }

    @Test func blankLinesAreNoRecords() throws {
        #expect(try records(Array("1\n\n2\r\n\n3".utf8), .ndjson) == ["1", "2", "3"])
        #expect(try records(Array(" \n1\n \t\r\n2 \n  ".utf8), .ndjson) == ["1", "2 "])
        #expect(try records(Array("\t\nstream,x\n  \na,1\n\u{B} \n b,2\n ".utf8), .csv) == ["a,1", " b,2"])
    }

    @Test func strayQuoteEndsWithItsLine() throws {
        let text = "stream,time,x\na,\"1,1\nb,2,3\"4\nc,3,5\n"
        #expect(try records(Array(text.utf8), .csv).last == "c,3,5")
        #expect(try records(Array("stream,x\na,1\"\nb,2\n".utf8), .csv) == ["a,1\"", "b,2"])
    }

    @Test func quotedFieldsKeepTheirLineEnds() throws {
        #expect(try records(Array("stream,x\n\"a\n\"\"b\",1\nc,2".utf8), .csv) == ["\"a\n\"\"b\",1", "c,2"])
    }

    @Test func recordIsAsLargeAsAnObservationMayBe() throws {
        let most = String(repeating: "x", count: Limits.observationBytes)
        // Behind what fits, what does not: held whole, or no longer held, and with CR before its end or its middle.
        for (length, middle) in [(1, ""), (5 << 20, ""), (3 << 20, "\r")] {
            let large = most + middle + String(repeating: "y", count: length)
            for end in ["\n", "\r\n", ""] {
                let text = most + "\n" + large + end + (end.isEmpty ? "" : "last")
                let (records, refusals) = try rows(Array(text.utf8), .ndjson)
                let kept = String(large.prefix(Limits.rejectBodyBytes))
                #expect(records == [most, kept] + (end.isEmpty ? [] : ["last"]))
                let bytes = Array(large.utf8)
                #expect(
                    refusals == [
                        RecordReader.Refusal(
                            code: .tooLarge, message: "line 2 has \(bytes.count) bytes, and a record may have 1048576",
                            cut: RecordReader.Cut(
                                length: Int64(bytes.count), sha256: SHA256.hash(bytes.span.bytes).hexadecimal))
                    ])
            }
        }
    }

    @Test func linesAreCountedThroughAllThatIsNoRecord() throws {
        let large = String(repeating: "z", count: 3 << 20)
        let text = "h,i\n\n\"a\nb\",1\n\(large),\"\r\n\nc,\"2\nd,3\n"
        let (records, refusals) = try rows(Array(text.utf8), .csv)
        #expect(records == ["\"a\nb\",1", String(large.prefix(4_096)), "c,\"2", "d,3"])
        #expect(refusals.map(\.message).map { $0.prefix(7) } == ["line 5 ", "line 7 "])
    }

    @Test func missingFileIsNamed() {
        let error = #expect(throws: SluiceError.self) { try RecordReader("nowhere.ndjson", fileFormat: nil) }
        #expect(error?.message.contains("nowhere.ndjson") == true)
    }
}
