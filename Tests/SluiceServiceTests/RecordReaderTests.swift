import Foundation
import SluiceCore
import Testing

@testable import SluiceService

/// Files of records, read in bounded pieces.
@Suite struct RecordReaderTests {
    private func records(_ content: [UInt8], _ format: RecordReader.FileFormat) throws -> [String] {
        let path = FileManager.default.temporaryDirectory.appendingPathComponent("reader-\(UUID().uuidString)").path
        defer { try? FileManager.default.removeItem(atPath: path) }
        #expect(FileManager.default.createFile(atPath: path, contents: Data(content)))
        let reader = try RecordReader(path, fileFormat: format)
        var found: [String] = []
        while try reader.next(limit: 2, { found += $0.map { String(decoding: $0, as: UTF8.self) } }) {}
        return found
    }

    @Test func byteOrderMarkIsPassedOver() throws {
        #expect(try records([0xEF, 0xBB, 0xBF] + Array("{}\n{}".utf8), .ndjson) == ["{}", "{}"])
    }

    @Test func blankLinesAreNoRecords() throws {
        #expect(try records(Array("1\n\n2\r\n\n3".utf8), .ndjson) == ["1", "2", "3"])
    }

    @Test func strayQuoteEndsWithItsLine() throws {
        let text = "stream,time,x\na,\"1,1\nb,2,3\"4\nc,3,5\n"
        #expect(try records(Array(text.utf8), .csv).last == "c,3,5")
        #expect(try records(Array("stream,x\na,1\"\nb,2\n".utf8), .csv) == ["a,1\"", "b,2"])
    }

    @Test func quotedFieldsKeepTheirLineEnds() throws {
        #expect(try records(Array("stream,x\n\"a\n\"\"b\",1\nc,2".utf8), .csv) == ["\"a\n\"\"b\",1", "c,2"])
    }

    @Test func missingFileIsNamed() {
        let error = #expect(throws: SluiceError.self) { try RecordReader("nowhere.ndjson", fileFormat: nil) }
        #expect(error?.message.contains("nowhere.ndjson") == true)
    }
}
