import Foundation
import SluiceTestKit
import Testing

@testable import SluiceCore

@Suite struct TimestampTests {
    @Test(
        arguments: [
            ("1970-01-01T00:00:00Z", 0), ("2026-01-01T00:05:00Z", 1_767_225_900_000), ("1969-12-31T23:59:59.999Z", -1),
            ("2000-02-29T12:34:56.789Z", 951_827_696_789), ("1900-01-01T00:00:00Z", -2_208_988_800_000),
            ("9998-12-31T23:59:59.999Z", 253_370_764_799_999), ("1904-02-29T00:00:00Z", -2_077_747_200_000),
            ("0000-01-01T00:00:00Z", -62_167_219_200_000), ("9999-12-31T23:59:59.999Z", 253_402_300_799_999),
        ] as [(String, Int64)]) func knownTimesReadAndWrite(_ text: String, _ time: Int64)
    {
        #expect(Timestamp.parse(text) == time)
        #expect(Timestamp.text(time) == text)
    }

    @Test(
        arguments: [
            ("2026-01-01t00:05:00z", 1_767_225_900_000), ("2026-01-01 00:05:00Z", 1_767_225_900_000),
            ("2026-01-01T01:05:00+01:00", 1_767_225_900_000), ("2025-12-31T18:20:00-05:45", 1_767_225_900_000),
            ("2026-01-01T00:05:00.1Z", 1_767_225_900_100), ("2026-01-01T00:05:00.123456789Z", 1_767_225_900_123),
            ("2026-01-01T00:05:00-00:00", 1_767_225_900_000), ("2016-12-31T23:59:60Z", 1_483_228_800_000),
            ("2016-12-31T23:59:60.5Z", 1_483_228_800_000), ("2017-01-01T00:59:60+01:00", 1_483_228_800_000),
            ("0000-02-29T00:00:00Z", -62_162_121_600_000), ("9999-12-31T23:59:59Z", 253_402_300_799_000),
        ] as [(String, Int64)]) func everyFormOfTheStandardIsRead(_ text: String, _ time: Int64)
    {
        #expect(Timestamp.parse(text) == time)
    }

    @Test(arguments: [
        "", "2026-01-01", "2026-01-01T00:05:00", "2026-01-01T00:05Z", "2026-1-01T00:05:00Z", "2026-13-01T00:00:00Z",
        "2026-00-01T00:00:00Z", "2026-02-29T00:00:00Z", "1900-02-29T00:00:00Z", "2026-04-31T00:00:00Z",
        "2026-01-00T00:00:00Z",
        "2026-01-01T24:00:00Z", "2026-01-01T00:60:00Z", "2026-01-01T00:00:61Z", "2026-01-01T12:00:60Z",
        "2026-01-01T00:05:00.Z",
        "2026-01-01T00:05:00.5", "2026-01-01T00:05:00+1:00", "2026-01-01T00:05:00+0100", "2026-01-01T00:05:00+24:00",
        "2026-01-01T00:05:00+00:60", "2026-01-01T00:05:00ZZ", "2026-01-01T00:05:00Z ", " 2026-01-01T00:05:00Z",
        "2026/01/01T00:05:00Z", "2026-01-01X00:05:00Z", "-026-01-01T00:05:00Z", "2026-01-01T00:05:00,5Z",
        "x026-01-01T00:05:00Z",
    ]) func otherTextsAreRefused(_ text: String) { #expect(Timestamp.parse(text) == nil) }

    @Test func everyDayOfTenThousandYearsAgreesWithTheCalendar() {
        // Counting day by day is the definition.
        var (year, month, day) = (0, 1, 1)
        let lengths = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
        var wrong = 0
        for days in -719_528..<2_932_897 {
            if Timestamp.days(year: year, month: month, day: day) != days { wrong += 1 }
            if Timestamp.civil(days: days) != (UInt32(year), UInt32(month), UInt32(day)) { wrong += 1 }
            let isLeap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
            day += 1
            if day > lengths[month - 1] + (month == 2 && isLeap ? 1 : 0) { (month, day) = (month + 1, 1) }
            if month > 12 { (year, month) = (year + 1, 1) }
        }
        #expect(wrong == 0)
        #expect((year, month, day) == (10_000, 1, 1))
    }

    @Test func randomTimesReadBackAndAgreeWithTheCLibrary() {
        var generator = Generator(seed: 3)
        let span = UInt64(Timestamp.range.upperBound - Timestamp.range.lowerBound)
        for _ in 0..<2_000 {
            let time = Timestamp.range.lowerBound + Int64(generator.next() % span)
            let text = Timestamp.text(time)
            #expect(Timestamp.parse(text) == time)
            var seconds = time_t((Double(time) / 1_000).rounded(.down))
            var parts = tm()
            gmtime_r(&seconds, &parts)
            let head = String(
                format: "%04d-%02d-%02dT%02d:%02d:%02d", Int(parts.tm_year) + 1_900, Int(parts.tm_mon) + 1,
                Int(parts.tm_mday), Int(parts.tm_hour), Int(parts.tm_min), Int(parts.tm_sec))
            #expect(text.hasPrefix(head))
        }
    }
}
