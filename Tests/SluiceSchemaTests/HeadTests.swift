import Foundation
import SluiceCore
import Testing

@testable import SluiceSchema

@Suite struct HeadTests {
    private func read(_ text: some Collection<UInt8>) throws -> ChangelogHead {
        let decoder = try HeadDecoder()
        return try Array(text).withUnsafeBytes { try decoder.head($0) }
    }

    private func code(_ text: String) -> SluiceError.Code? {
        do {
            _ = try read(text.utf8)
            return nil
        } catch { return (error as? SluiceError)?.code }
    }

    @Test func whatIsWrittenIsReadAndConforms() throws {
        for latest: EpochMilliseconds in [.absent, 1_767_225_900_000, -1] {
            let head = ChangelogHead(
                identity: "log \"1\"", offset: 12_345, replayFrom: 11, control: 9,
                model: String(repeating: "5a", count: 32), latest: latest,
                partitions: latest == -1 ? nil : 12)
            var arena = ByteArena()
            let range = head.encode(into: &arena)
            let bytes = Array(arena.bytes(range))
            #expect(try read(bytes) == head)
            let value = try JSONSerialization.jsonObject(with: Data(bytes))
            #expect(SchemaValidator.problems(value, try SchemaTests.schema("head")) == [])
        }
    }

    @Test func everyExampleIsRead() throws {
        for example in try SchemaTests.examples("head") {
            let head = try read(SchemaTests.bytes(example))
            #expect(head.offset == (example["offset"] as? NSNumber)?.int64Value)
            #expect(head.partitions == (example["partitions"] as? NSNumber)?.intValue)
            #expect((head.latest == .absent) == (example["latest"] == nil))
        }
    }

    @Test func whatIsMissingOrOfAnotherKindIsRefused() {
        let good = #"{"identity":"a","offset":1,"replayFrom":1,"control":1,"model":"m"}"#
        #expect(code(good) == nil)
        for (old, new) in [
            (#""offset":1"#, #""offset":-1"#), (#""offset":1"#, #""offset":"1""#), (#""identity":"a","#, ""),
            (#""control":1"#, #""control":1.5"#), (#""model":"m""#, #""model":7"#), ("}", ""),
            ("}", #","latest":"yesterday"}"#), ("}", #","partitions":0}"#), ("}", #","partitions":"4"}"#),
        ] {
            #expect(code(good.replacingOccurrences(of: old, with: new)) == .invalidState, "\(old) → \(new)")
        }
    }
}
