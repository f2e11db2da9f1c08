internal import Foundation

/// Numbers as people read them in tables and at axes.
package enum NumberText {
    /// To so many significant digits, without exponent where it is short; a dash for what is no number.
    package static func significant(_ value: Double?, digits: Int = 4) -> String {
        guard let value, value.isFinite else { return "–" }
        return String(format: "%.\(digits)g", value)
    }

    /// With so many places behind the point.
    package static func fixed(_ value: Double, places: Int) -> String {
        guard value.isFinite else { return "–" }
        let text = String(format: "%.\(places)f", value)
        // A coordinate needs no zeros at its end.
        guard places > 0, text.contains(".") else { return text }
        var short = Substring(text)
        while short.last == "0" { short.removeLast() }
        if short.last == "." { short.removeLast() }
        return short == "-0" ? "0" : String(short)
    }

    /// Of one hundred.
    package static func percent(_ share: Double?, places: Int = 1) -> String {
        guard let share, share.isFinite else { return "–" }
        return fixed(100 * share, places: places) + " %"
    }

    /// With thousands apart.
    package static func count(_ count: Int) -> String {
        let digits = String(count.magnitude)
        var text = ""
        for (index, digit) in digits.enumerated() {
            if index > 0, (digits.count - index) % 3 == 0 { text += "," }
            text.append(digit)
        }
        return (count < 0 ? "−" : "") + text
    }
}
