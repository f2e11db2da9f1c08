/// Durations as the configuration writes them: a whole number and one unit, `500ms`, `10s`, `1m`, `6h`, `30d`.
enum DurationText {
    static let units: [(suffix: String, milliseconds: Int64)] = [
        ("ms", 1), ("s", 1_000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000),
    ]
    /// A hundred years: longer is a slip of the pen, and its milliseconds would come near overflow in sums.
    static let longest: Int64 = 36_500 * 86_400_000

    static func parse(_ text: String) throws(Mismatch) -> Duration {
        let digits = text.prefix { $0.isASCII && $0.isNumber }
        let suffix = text.dropFirst(digits.count)
        guard !digits.isEmpty, let unit = units.first(where: { $0.suffix == suffix }) else {
            let hint = suffix.isEmpty && !digits.isEmpty ? "; did you mean \"\(digits)s\"?" : ""
            throw Mismatch("\"\(text)\" is not a duration such as 500ms, 10s, 1m, 6h or 30d\(hint)")
        }
        let (milliseconds, overflow) = (Int64(digits) ?? .max).multipliedReportingOverflow(by: unit.milliseconds)
        guard !overflow, milliseconds <= longest else { throw Mismatch("\"\(text)\" is longer than 36500d") }
        guard milliseconds > 0 else { throw Mismatch("\"\(text)\" must be longer than zero") }
        return .milliseconds(milliseconds)
    }

    /// In the largest unit that divides it: 3,600 s are `1h`.
    static func string(_ duration: Duration) -> String {
        let milliseconds = duration.wholeMilliseconds
        let unit = units.last { milliseconds % $0.milliseconds == 0 && milliseconds != 0 } ?? units[0]
        return "\(milliseconds / unit.milliseconds)\(unit.suffix)"
    }
}

extension Duration {
    /// Rounded towards zero.
    package var wholeMilliseconds: Int64 {
        components.seconds * 1_000 + components.attoseconds / 1_000_000_000_000_000
    }
}
