import Foundation
import SluiceCore
import Testing

@testable import SluiceAdmin

@Suite struct TimestampTests {
    @Test(arguments: [
        (0, "1970-01-01T00:00:00Z"), (-1, "1969-12-31T23:59:59.999Z"), (1_767_225_900_000, "2026-01-01T00:05:00Z"),
    ])
    func isATextAndReadsBack(milliseconds: Int64, text: String) throws {
        let json = JSONWriter.text(of: Timestamp(milliseconds))
        #expect(json == "\"\(text)\"")
        #expect(try JSONDecoder().decode(Timestamp.self, from: Data(json.utf8)) == Timestamp(milliseconds))
    }

    /// Among them times that cannot be written: with their offsets they lie outside the years 0 to 9999.
    @Test(arguments: ["2026-01-01", "0000-01-01T00:00:00+01:00", "9999-12-31T23:59:59-01:00", "1899-12-31T23:59:59Z"])
    func otherTextsAreNotRead(text: String) {
        #expect(throws: DecodingError.self) {
            try JSONDecoder().decode(Timestamp.self, from: Data("\"\(text)\"".utf8))
        }
    }

    @Test func absentIsNoTime() {
        #expect(Timestamp(present: .absent) == nil)
        #expect(Timestamp(present: 0) == Timestamp(0))
    }
}
