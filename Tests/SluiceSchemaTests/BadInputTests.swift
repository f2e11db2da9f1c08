import SluiceCore
import SluiceTestKit
import Testing

@testable import SluiceSchema

/// The rows of the table "Bad input" that concern decoding.
@Suite struct BadInputTests {
    @Test(arguments: [
        "", " ", "hello", "42", "\"x\"", "null", "true", "{", "}", "[", "{\"time\":1", "{\"time\":1,", "{\"time\":1,}",
        "{\"time\":1}}", "{\"time\":1} x", "{\"time\":1}{\"time\":1}", "{\"time\":1}\0", "{,}", "{\"a\"}", "{\"a\":}",
        "{1:2}", "{\"a\":1:2}", "{\"a\":\"x\":1}", "{\"a\":1 2}", "{\"a\":[1 2]}", "{\"a\":[1,]}", "{\"a\":[1}}",
        "{\"a\":{\"b\":1]}",
        "{\"a\":tru}", "{\"a\":truex}", "{\"a\":nul}", "{\"a\":NaN}", "{\"a\":Infinity}", "{\"a\":-}", "{\"a\":01}",
        "{\"a\":1.}",
        "{\"a\":.5}", "{\"a\":+1}", "{\"a\":1e}", "{\"a\":0x10}", "{\"a\":1_000}", "{\"a\":\"b}", "{\"a\":\"\\x\"}",
        "{\"a\":\"\\ud800\"}", "{\"a\":\"\\udc00\"}", "{\"a\":\"\t\"}", "{\"a\":\"b\"c}", "{'a':1}", "{\"a\":1}//c",
    ]) func whatIsNotJSONIsRefused(_ document: String) throws {
        #expect(try decode(document).code == "json-invalid")
        // The same where nothing is read, and where a feature is.
        let inner = document.replacing("\"a\"", with: "\"load\"")
        #expect(
            try decode("{\"values\":\(inner)}").code == "json-invalid"
                || ["42", "\"x\"", "null", "true"].contains(inner))
    }

    @Test func invalidUTF8IsRefused() throws {
        for bytes: [UInt8] in [[0xFF], [0xC0, 0xAF], [0xED, 0xA0, 0x80], [0xF5, 0x80, 0x80, 0x80], [0xE2, 0x82]] {
            let value = Array("{\"time\":1,\"x\":\"".utf8) + bytes + Array("\"}".utf8)
            #expect(try decode(value).code == "json-invalid")
            #expect(try decode(Array("{\"time\":1}".utf8), key: bytes).code == "key-invalid")
        }
    }

    @Test func missingAndTooLongKeysAreRefused() throws {
        let value = Array("{\"time\":1}".utf8)
        #expect(try decode(value, key: nil).code == "key-missing")
        #expect(try decode(value, key: []).code == "key-missing")
        #expect(try decode(nil, key: nil).code == "key-missing")
        #expect(try decode(value, key: [UInt8](repeating: 97, count: Limits.keyBytes)).code == nil)
        #expect(try decode(value, key: [UInt8](repeating: 97, count: Limits.keyBytes + 1)).code == "key-too-long")
    }

    @Test func wrongTypesAreRefusedByNameAndPointer() throws {
        for value in ["\"1\"", "true", "[]", "{}"] {
            let outcome = try decode("{\"time\":1,\"values\":{\"load\":\(value)}}")
            guard case .reject("type-mismatch", let message) = outcome else {
                Issue.record("\(outcome)")
                continue
            }
            #expect(message.hasPrefix("feature \"load\" (/values/load) is "))
        }
        #expect(try decode("{\"time\":1,\"values\":5}").code == "type-mismatch")
        #expect(try decode("{\"time\":1,\"values\":[1,2]}").code == "type-mismatch")
        #expect(try decode("[1,2]").code == "type-mismatch")
        #expect(try decode("{\"time\":[]}").code == "type-mismatch")
    }

    @Test func numbersBeyondFloatAreRefused() throws {
        for value in ["1e400", "-1e400", "1e39", "-3.4028236e38", "1\(String(repeating: "0", count: 400))"] {
            #expect(try decode("{\"time\":1,\"values\":{\"load\":\(value)}}").code == "number-out-of-range")
        }
        #expect(try decode("{\"time\":1,\"values\":{\"load\":1e-400}}").row?.features == [nil, 0])
        #expect(
            try decode("{\"time\":1,\"values\":{\"load\":3.4028234e38}}").row?.features == [
                nil, .greatestFiniteMagnitude,
            ])
        #expect(try decode("{\"time\":1,\"values\":{\"x\":1e400}}").code == nil)
        #expect(try decode("{\"time\":1e400}").code == "time-invalid")
        #expect(try decode("{\"time\":1,\"label\":1e39}").code == "label-invalid")
    }

    @Test(arguments: [
        "\"9999-01-01T00:00:00Z\"", "\"9999-12-31T23:59:59Z\"", "\"1899-12-31T23:59:59Z\"", "253370764800000", "1e300",
        "1767225900000000", "1.5", "\"\"", "\"2026\"", "\"1767225900000\"",
    ]) func timesOutsideTheCalendarAreRefused(_ time: String) throws {
        #expect(try decode("{\"time\":\(time)}").code == "time-invalid")
    }

    @Test func tenMegabytesAreRefusedUnread() throws {
        let large = [UInt8](repeating: 0x20, count: 10 << 20)
        #expect(try decode(large).code == "too-large")
        let filler = Limits.observationBytes - "{\"time\":1,\"x\":\"\"}".utf8.count
        let fitting = "{\"time\":1,\"x\":\"\(String(repeating: "y", count: filler))\"}"
        #expect(try decode(fitting).code == nil)
        #expect(try decode(fitting + " ").code == "too-large")
    }

    @Test func deepNestingIsRefusedWithoutExhaustingTheStack() throws {
        func nested(_ depth: Int, _ open: String, _ close: String) -> String {
            "{\"time\":1,\"x\":" + String(repeating: open, count: depth) + "1" + String(repeating: close, count: depth)
                + "}"
        }
        #expect(try decode(nested(255, "[", "]")).code == nil)
        #expect(try decode(nested(256, "[", "]")).code == "json-invalid")
        #expect(try decode(nested(255, "{\"a\":", "}")).code == nil)
        #expect(try decode(nested(150_000, "{\"a\":", "}")).code == "json-invalid")
        #expect(try decode(String(repeating: "[", count: 1_000_000)).code == "json-invalid")
    }

    @Test func sequencesHaveALimit() throws {
        func value(_ count: Int) -> String { "{\"time\":1,\"sequence\":\"\(String(repeating: "s", count: count))\"}" }
        #expect(try decode(value(Limits.sequenceBytes)).code == nil)
        #expect(try decode(value(Limits.sequenceBytes + 1)).code == "sequence-too-long")
    }

    @Test func everyCodeHasItsOwnTextAndMessage() throws {
        let decoder = try ObservationDecoder(pumps(.field))
        #expect(Set(RejectCode.allCases.map(\.text)).count == RejectCode.allCases.count)
        for code in RejectCode.allCases { #expect(!decoder.message(for: code).isEmpty) }
    }

    /// Whatever the bytes, decoding ends with a row or a code.
    @Test func mutatedDocumentsNeverBreakTheDecoder() throws {
        let text =
            #"{"stream":"a\u00e9","time":"2026-01-01T00:05:00Z","values":{"temperature":-7.25e1,"load":[]},"label":1}"#
        let document = Array(text.utf8)
        var generator = Generator(seed: 7)
        var decoder = try ObservationDecoder(pumps(.field))
        var columns = ObservationColumns(featureCount: 2, rowsExpected: 4)
        let alphabet = Array("{}[],:\"\\ 0eE-+.tfnu\0\u{ff}".utf8)
        for _ in 0..<20_000 {
            var mutated = document
            for _ in 0...(generator.next() % 3) {
                let at = Int(generator.next() % UInt64(mutated.count))
                let byte = alphabet[Int(generator.next() % UInt64(alphabet.count))]
                switch generator.next() % 3 {
                case 0: mutated[at] = byte
                case 1: mutated.insert(byte, at: at)
                default: mutated.remove(at: at)
                }
            }
            columns.removeAll()
            let code = withBytes(mutated) { decoder.append(InputRecord(value: $0), to: &columns) }
            #expect((code == nil) == (columns.count == 1))
        }
    }
}
