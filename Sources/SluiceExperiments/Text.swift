/// Numbers as the tables show them.
enum Text {
    /// With so many digits behind the point.
    static func number(_ value: Double, _ digits: Int) -> String {
        guard value.isFinite else { return "–" }
        var power = 1.0
        for _ in 0..<digits { power *= 10 }
        let scaled = (abs(value) * power).rounded()
        guard scaled < 1e15 else { return "\(value)" }
        let whole = Int(scaled) / Int(power)
        let sign = value < 0 && scaled > 0 ? "−" : ""
        guard digits > 0 else { return sign + "\(whole)" }
        let rest = "\(Int(scaled) % Int(power))"
        return sign + "\(whole)." + String(repeating: "0", count: digits - rest.count) + rest
    }

    /// One number where both are shown alike.
    static func range(_ range: (low: Double, high: Double)?, _ digits: Int) -> String {
        guard let range else { return "–" }
        let (low, high) = (number(range.low, digits), number(range.high, digits))
        return low == high ? low : low + " to " + high
    }

    static func list(_ names: [String]) -> String {
        guard let last = names.last, names.count > 1 else { return names.first ?? "" }
        return names.dropLast().joined(separator: ", ") + " and " + last
    }
}
