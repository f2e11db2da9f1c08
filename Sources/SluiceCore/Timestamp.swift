/// A time, and RFC 3339 to milliseconds since 1970 and back, without tables or clock: proleptic Gregorian days from
/// civil dates (Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms").
public struct Timestamp: Hashable, Sendable {
    public let milliseconds: EpochMilliseconds

    public init(_ milliseconds: EpochMilliseconds) { self.milliseconds = milliseconds }

    /// Nil for `.absent`.
    public init?(present milliseconds: EpochMilliseconds) {
        if milliseconds == .absent { return nil }
        self.milliseconds = milliseconds
    }

    /// Times an observation may have: from 1900 to the end of 9998. What is outside is a sentinel or a wrong unit.
    public static let range: Range<EpochMilliseconds> = -2_208_988_800_000..<253_370_764_800_000

    /// Days since 1970-01-01 of a date.
    public static func days(year: Int, month: Int, day: Int) -> Int {
        let y = month <= 2 ? year - 1 : year
        let era = (y >= 0 ? y : y - 399) / 400
        let yearOfEra = y - era * 400
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        return era * 146_097 + dayOfEra - 719_468
    }

    /// What `write` can write: the years 0 to 9999.
    private static let written: Range<EpochMilliseconds> = -62_167_219_200_000..<253_402_300_800_000
    /// From the first of March 400 years before year 0 to 1970-01-01.
    private static let daysToEpoch = 719_468 + 146_097

    /// The date of a day since 1970-01-01, of the years 0 to 9999 (Cassio Neri, Lorenz Schneider, "Euclidean Affine
    /// Functions and their Application to Calendar Algorithms", 2022): years begin in March, and a division by what the
    /// mean year or month has of days is a product whose high and low halves are quotient and rest.
    @inline(__always)
    static func civil(days: Int) -> (year: UInt32, month: UInt32, day: UInt32) {
        let quarters = 4 &* UInt32(truncatingIfNeeded: days &+ daysToEpoch) &+ 3
        let (century, ofCentury) = (quarters / 146_097, quarters % 146_097 | 3)
        let year = UInt64(ofCentury) &* 2_939_745
        let dayOfYear = UInt32(truncatingIfNeeded: year) / 2_939_745 / 4
        let month = 2_141 &* dayOfYear &+ 197_913
        let isNextYear: UInt32 = dayOfYear >= 306 ? 1 : 0
        return (
            100 &* century &+ UInt32(truncatingIfNeeded: year >> 32) &+ isNextYear &- 400,
            (month >> 16) &- 12 &* isNextYear, (month & 0xFFFF) / 2_141 &+ 1
        )
    }

    private static func daysInMonth(_ month: Int, year: Int) -> Int {
        switch month {
        case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }

    /// An RFC 3339 date-time; nil when it is none. `T` may be a space, `T` and `Z` lower case; the fraction is cut to
    /// milliseconds; second 60 is taken at the end of a UTC day only, as the first of the next.
    public static func parse(_ text: UnsafeRawBufferPointer) -> EpochMilliseconds? {
        guard text.count >= 20, let base = text.baseAddress else { return nil }
        return (text.count == 20 ? parseCommon(base) : nil) ?? parseAny(text, base)
    }

    /// `2026-01-01T00:05:00Z`, as most times are written, eight digits at once; nil for any other form.
    @inline(__always)
    private static func parseCommon(_ base: UnsafeRawPointer) -> EpochMilliseconds? {
        func load<Word: FixedWidthInteger & BitwiseCopyable>(_ at: Int, _: Word.Type) -> Word {
            Word(littleEndian: base.loadUnaligned(fromByteOffset: at, as: Word.self))
        }
        // What must not be a digit becomes one of value 0 where it is what it must be.
        let date = load(0, UInt64.self) ^ 0x2D30_302D_3030_3030
        let dayAndHour = load(8, UInt64.self) ^ 0x3030_3A30_3054_3030
        let rest = load(16, UInt32.self) ^ 0x5A30_303A
        let (tens, high): (UInt64, UInt64) = (0x7676_7676_7676_7676, 0x8080_8080_8080_8080)
        guard (date | dayAndHour | UInt64(rest)) & high == 0,
            ((date &+ tens) | (dayAndHour &+ tens) | (UInt64(rest) &+ tens)) & high == 0,
            // 0x0A and more are no digits; a separator has its one value.
            date & 0xFF00_00FF_0000_0000 == 0, dayAndHour & 0x0000_FF00_00FF_0000 == 0, rest & 0xFF00_00FF == 0
        else { return nil }
        func pair(_ word: UInt64, _ byte: UInt64) -> Int {
            Int(truncatingIfNeeded: ((word >> (8 * byte)) & 0xFF) * 10 + ((word >> (8 * byte + 8)) & 0xFF))
        }
        let (year, month, day) = (pair(date, 0) * 100 + pair(date, 2), pair(date, 5), pair(dayAndHour, 0))
        let (hour, minute, second) = (pair(dayAndHour, 3), pair(dayAndHour, 6), pair(UInt64(rest), 1))
        guard month >= 1, month <= 12, day >= 1, day <= daysInMonth(month, year: year), hour < 24, minute < 60,
            second < 60
        else { return nil }
        let seconds = days(year: year, month: month, day: day) * 86_400 + hour * 3_600 + minute * 60 + second
        return EpochMilliseconds(seconds * 1_000)
    }

    private static func parseAny(_ text: UnsafeRawBufferPointer, _ base: UnsafeRawPointer) -> EpochMilliseconds? {
        func digits(_ at: Int, _ count: Int) -> Int? {
            var value = 0
            for index in at..<(at + count) {
                let digit = Int(base.load(fromByteOffset: index, as: UInt8.self)) - 48
                guard digit >= 0, digit <= 9 else { return nil }
                value = value * 10 + digit
            }
            return value
        }
        func byte(_ at: Int) -> UInt8 { base.load(fromByteOffset: at, as: UInt8.self) }
        guard let year = digits(0, 4), byte(4) == 0x2D, let month = digits(5, 2), byte(7) == 0x2D,
            let day = digits(8, 2), byte(10) | 0x20 == 0x74 || byte(10) == 0x20, let hour = digits(11, 2),
            byte(13) == 0x3A, let minute = digits(14, 2), byte(16) == 0x3A, let second = digits(17, 2),
            month >= 1, month <= 12, day >= 1, day <= daysInMonth(month, year: year), hour < 24, minute < 60,
            second <= 60
        else { return nil }

        var at = 19
        var milliseconds = 0
        if byte(at) == 0x2E {
            at += 1
            var place = 100
            while at < text.count, let digit = digits(at, 1) {
                milliseconds += digit * place
                place /= 10
                at += 1
            }
            guard at > 20, at < text.count else { return nil }
        }
        guard let offsetMinutes = offset(text, at) else { return nil }
        let dayStart = days(year: year, month: month, day: day) * 86_400
        let seconds = dayStart + hour * 3_600 + minute * 60 + second - offsetMinutes * 60
        guard second < 60 || seconds % 86_400 == 0 else { return nil }
        return EpochMilliseconds(seconds * 1_000 + (second < 60 ? milliseconds : 0))
    }

    /// `Z` or ±hh:mm up to the end of the text, in minutes.
    private static func offset(_ text: UnsafeRawBufferPointer, _ at: Int) -> Int? {
        let sign = text[at]
        if sign | 0x20 == 0x7A { return text.count == at + 1 ? 0 : nil }
        guard sign == 0x2B || sign == 0x2D, text.count == at + 6, text[at + 3] == 0x3A else { return nil }
        func pair(_ at: Int) -> Int? {
            let (tens, ones) = (Int(text[at]) - 48, Int(text[at + 1]) - 48)
            return (0...9).contains(tens) && (0...9).contains(ones) ? tens * 10 + ones : nil
        }
        guard let hours = pair(at + 1), let minutes = pair(at + 4), hours < 24, minutes < 60 else { return nil }
        return (sign == 0x2D ? -1 : 1) * (hours * 60 + minutes)
    }

    /// The most bytes `write` writes.
    public static let bytesMax = 24

    /// UTC, milliseconds only if not zero: `2026-01-01T00:05:00Z`. Returns the number of bytes. As `parseCommon` reads,
    /// eight digits at once.
    ///
    /// - Parameter time: of the years 0 to 9999; decoded ones lie within `range`.
    public static func write(_ time: EpochMilliseconds, to out: UnsafeMutableRawPointer) -> Int {
        precondition(written.contains(time), "a year has four digits")
        let shifted = UInt64(time &+ EpochMilliseconds(daysToEpoch) &* 86_400_000)
        let day = shifted / 86_400_000
        let ofDay = UInt32(truncatingIfNeeded: shifted &- day &* 86_400_000)
        let date = civil(days: Int(day) &- daysToEpoch)
        let (second, minute) = (ofDay / 1_000, ofDay / 60_000)
        let (fraction, hour) = (ofDay &- second &* 1_000, minute / 60)
        func pair(_ value: UInt32, _ byte: UInt64) -> UInt64 {
            // Its tens are 103 / 1,024 of it below 100; the ones go into the byte behind them.
            UInt64((value &<< 8) &- (value &* 103) &>> 10 &* 2_559) &<< (8 &* byte)
        }
        func store<Word: FixedWidthInteger & BitwiseCopyable>(_ word: Word, _ at: Int) {
            out.storeBytes(of: word.littleEndian, toByteOffset: at, as: Word.self)
        }
        let century = date.year / 100
        store(0x2D30_302D_3030_3030 | pair(century, 0) | pair(date.year &- century &* 100, 2) | pair(date.month, 5), 0)
        store(0x3030_3A30_3054_3030 | pair(date.day, 0) | pair(hour, 3) | pair(minute &- hour &* 60, 6), 8)
        store(UInt32(truncatingIfNeeded: 0x5A30_303A | pair(second &- minute &* 60, 1)), 16)
        guard fraction != 0 else { return 20 }
        let hundreds = fraction / 100
        store(0x2E as UInt8, 19)
        store(UInt32(truncatingIfNeeded: 0x5A30_3030 | UInt64(hundreds) | pair(fraction &- hundreds &* 100, 1)), 20)
        return 24
    }

    /// As `write`, for messages and rare paths.
    public static func text(_ time: EpochMilliseconds) -> String {
        withUnsafeTemporaryAllocation(byteCount: bytesMax, alignment: 1) { buffer in
            guard let base = buffer.baseAddress else { return "" }
            return String(decoding: UnsafeRawBufferPointer(start: base, count: write(time, to: base)), as: UTF8.self)
        }
    }

    /// As `parse`.
    public static func parse(_ text: String) -> EpochMilliseconds? {
        var text = text
        return text.withUTF8 { parse(UnsafeRawBufferPointer($0)) }
    }
}

extension Timestamp: CustomStringConvertible {
    public var description: String { Self.text(milliseconds) }
}
