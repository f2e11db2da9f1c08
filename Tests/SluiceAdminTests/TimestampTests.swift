import Foundation
import SluiceCore
import Testing

@testable import SluiceAdmin

@Suite struct TimestampTests {
    @Test(arguments: [
        (0, "1970-01-01T00:00:00Z"), (-1, "1969-12-31T23:59:59.999Z"), (1_767_225_900_000, "2026-01-01T00:05:00Z"),
        (951_782_400_007, "2000-02-29T00:00:00.007Z"), (253_402_300_799_999, "9999-12-31T23:59:59.999Z"),
        (-62_135_596_800_000, "0001-01-01T00:00:00Z"),
    ])
    func isWrittenAsTheContractSays(milliseconds: Int64, text: String) {
        #expect(Timestamp(milliseconds).description == text)
        #expect(Timestamp(text) == Timestamp(milliseconds))
    }

    @Test func agreesWithFoundationOnEveryDayOfFourCenturies() {
        var calendar = Calendar(identifier: .gregorian)
        calendar.timeZone = .gmt
        for day in stride(from: -80_000 as Int64, to: 80_000, by: 13) {
            let parts = calendar.dateComponents(
                [.year, .month, .day], from: Date(timeIntervalSince1970: Double(day) * 86_400))
            let date = [parts.year, parts.month, parts.day].map { String($0 ?? 0) }
            let written = Timestamp(day * 86_400_000).description.prefix(10).split(separator: "-")
            #expect(written.map { String(Int($0) ?? 0) } == date)
        }
    }

    @Test(arguments: ["", "2026-01-01", "2026-02-30T00:00:00Z", "2026-01-01T00:00:00.000Z", "2026-01-01 00:00:00Z"])
    func otherFormsAreNotRead(text: String) {
        #expect(Timestamp(text) == nil)
    }

    @Test func absentIsNoTime() {
        #expect(Timestamp(present: .absent) == nil)
        #expect(Timestamp(present: 0) == Timestamp(0))
    }
}
