import Foundation
import SluiceCore
import SluiceTestKit
import Testing

@testable import SluiceSchema

@Suite struct CSVTests {
    static let file = pumps(
        .field,
        format: .csv(columns: ["stream", "time", "note", "temperature", "load", "sequence", "boundary", "label"]))
    static let topic = pumps(.record, format: .csv(columns: ["load", "temperature", "time"]))

    @Test func everyColumnOfAFileIsRead() throws {
        let row = try decode("pump-17,2026-01-01T00:05:00Z,x,71.2, 0.4 ,run-9,start,1\r\n", as: Self.file).row
        #expect(
            row
                == Row(
                    key: "pump-17", time: 1_767_225_900_000, features: [71.2, 0.4], sequence: "run-9", boundary: .start,
                    label: 1, isTombstone: false, topic: nil, partition: 0, offset: 42))
    }

    @Test func columnsGiveTheOrderInATopic() throws {
        let row = try decode("0.4,71.2,1767225900000", as: Self.topic).row
        #expect(row?.features == [71.2, 0.4])
        #expect(row?.time == 1_767_225_900_000)
        #expect(try decode("1,2,", timestamp: 9, as: Self.topic).row?.time == 9)
    }

    @Test func quotedFieldsHoldCommasQuotesAndLineEnds() throws {
        let row = try decode("\"a,\"\"b\"\"\nc\",1,,\"1\",,\"\",,true", as: Self.file).row
        #expect(row?.key == "a,\"b\"\nc")
        #expect(row?.features == [1, nil])
        #expect(row?.sequence == "")
        #expect(row?.label == 1)
    }

    @Test func emptyFieldsAreNull() throws {
        let row = try decode("a,1,,,,,,", as: Self.file).row
        #expect(row?.features == [nil, nil])
        #expect(row?.sequence == nil)
        #expect(row?.boundary == BoundaryMark.none)
        #expect(row?.label == nil)
        #expect(try decode(",1,,,,,,", as: Self.file).code == "key-missing")
        #expect(try decode("a,,,,,,,", as: Self.file).code == "time-missing")
    }

    @Test(arguments: [
        ("1,2", "csv-invalid"), ("1,2,3,4", "csv-invalid"), ("", "csv-invalid"), ("\"1,2,3", "csv-invalid"),
        ("\"1\"x,2,3", "csv-invalid"), ("1\",2,3", "csv-invalid"), ("nan,2,3", "number-out-of-range"),
        ("inf,2,3", "number-out-of-range"), ("1e400,2,3", "number-out-of-range"), ("1e39,2,3", "number-out-of-range"),
        ("x,2,3", "type-mismatch"), ("1x,2,3", "type-mismatch"), ("0x1,2,3", "type-mismatch"),
        ("1,2,soon", "time-invalid"),
        ("1,2,99999999999999999", "time-invalid"), ("1,2,1.5", "time-invalid"),
    ]) func malformedRecordsAreRefused(_ record: String, _ code: String) throws {
        #expect(try decode(record, as: Self.topic).code == code)
    }

    @Test func invalidUTF8IsRefused() throws {
        #expect(try decode([0x31, 0x2C, 0xFF, 0x2C, 0x31], as: Self.topic).code == "csv-invalid")
    }

    /// Judged by the rules written down once more, character by character, over records of up to four blocks.
    @Test func randomRecordsAreSplitByTheRules() throws {
        var generator = Generator(seed: 7)
        let alphabet = Array("aaaaé1,,,\"\" \t\n".utf16)
        var good = 0
        for _ in 0..<20_000 {
            var text: [UInt16] = []
            for _ in 0..<(1 + generator.next() % 6) {
                // Mostly fields that are good, of any length.
                let field = (0..<(generator.next() % 50)).map { _ in
                    alphabet[Int(generator.next() % UInt64(generator.next() % 8 == 0 ? alphabet.count : 6))]
                }
                if !text.isEmpty { text += Array(",".utf16) }
                text += generator.next() % 8 == 0 ? Array("\"".utf16) + field + Array("\"".utf16) : field
            }
            let line = String(decoding: text, as: UTF16.self)
            let expected = Self.fields(line)
            let found = Array(line.utf8).withUnsafeBytes { RecordFraming.header($0) }
            try #require(found == expected, "\(line.debugDescription)")
            if expected != nil { good += 1 }
        }
        #expect((5_000..<19_000).contains(good))
    }

    private static func fields(_ line: String) -> [String]? {
        var rest = Array(line.unicodeScalars)
        guard !rest.isEmpty else { return nil }
        if rest.last == "\n" { rest.removeLast() }
        if rest.last == "\r" { rest.removeLast() }
        var fields: [String] = []
        while true {
            var field = String.UnicodeScalarView()
            if rest.first == "\"" {
                rest.removeFirst()
                while true {
                    guard let next = rest.first else { return nil }
                    rest.removeFirst()
                    if next == "\"" {
                        guard rest.first == "\"" else { break }
                        rest.removeFirst()
                    }
                    field.append(next)
                }
                guard rest.isEmpty || rest.first == "," else { return nil }
                fields.append(String(field))
            } else {
                let end = rest.firstIndex(of: ",") ?? rest.count
                field.append(contentsOf: rest[..<end])
                guard !field.contains("\"") else { return nil }
                fields.append(String(field).trimmingCharacters(in: CharacterSet(charactersIn: " \t")))
                rest.removeFirst(end)
            }
            if rest.isEmpty { return fields }
            rest.removeFirst()
        }
    }

    /// However the fields before it are written, and wherever it lies in a block.
    @Test func everyNumberOfALongRecordIsReadAsAlone() throws {
        var generator = Generator(seed: 8)
        let names = (0..<30).map { "f\($0)" }
        let specification = InputSpecification(
            format: .csv(columns: names + ["time"]), features: names.map { .init($0) })
        let shapes = [
            "1.5", "-0.25", "123456.7890123", "7", "-3", "1e-3", "0.000001234", "12345678901234567890", ".5", "5.",
        ]
        for _ in 0..<2_000 {
            var expected: [Float?] = []
            var fields: [String] = []
            let mayQuote = generator.next() % 2 == 0
            for _ in names {
                let text = shapes[Int(generator.next() % UInt64(shapes.count))]
                expected.append(Float(strtod(text, nil)))
                switch generator.next() % 12 {
                case 0: fields.append(" \(text)\t")
                case 1 where mayQuote: fields.append("\"\(text)\"")
                case 2:
                    fields.append("")
                    expected[expected.count - 1] = nil
                default: fields.append(text)
                }
            }
            let time = generator.next() % 2 == 0 ? "1767225900000" : "2026-01-01T00:05:00Z"
            let line = (fields + [time]).joined(separator: ",") + ["", "\n", "\r\n"][Int(generator.next() % 3)]
            let row = try #require(try decode(line, as: specification).row, "\(line)")
            try #require(row.features == expected && row.time == 1_767_225_900_000, "\(line)")
        }
    }

    @Test func columnsThatAreNeededMustBeThereOnce() {
        for columns in [["time", "load"], ["time", "load", "temperature", "load"]] {
            #expect(throws: SluiceError.self) {
                _ = try ObservationDecoder(pumps(.record, format: .csv(columns: columns)))
            }
        }
        #expect(throws: SluiceError.self) {
            _ = try ObservationDecoder(pumps(.field, format: .csv(columns: ["stream", "load", "temperature"])))
        }
    }

    @Test func recordsOfAFileEndOutsideQuotes() {
        let text = Array("a,\"b\nc\"\nd".utf8)
        text.withUnsafeBytes {
            var csv = RecordFraming(isCSV: true)
            #expect(csv.record(in: $0, isAtEnd: false) == RecordFraming.Record(length: 8, lines: 2))
            let rest = UnsafeRawBufferPointer(rebasing: $0[8...])
            #expect(csv.record(in: rest, isAtEnd: false) == nil)
            #expect(csv.record(in: rest, isAtEnd: true) == RecordFraming.Record(length: 1))
            var json = RecordFraming(isCSV: false)
            #expect(json.record(in: $0, isAtEnd: false) == RecordFraming.Record(length: 5))
        }
        let header = Array("\u{FEFF}stream, time ,\"a,\"\"b\"\"\"\r\n".utf8)
        header.withUnsafeBytes { #expect(RecordFraming.header($0) == ["stream", "time", "a,\"b\""]) }
        Array("a,\"b".utf8).withUnsafeBytes { #expect(RecordFraming.header($0) == nil) }
    }
}
