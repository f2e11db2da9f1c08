/// Text that is HTML already. Everything else is escaped on its way in: names of streams and features are other
/// people's.
package struct HTML: Sendable, Equatable, ExpressibleByStringInterpolation {
    package private(set) var text: String

    init(raw text: String) { self.text = text }

    package init(stringLiteral text: String) { self.text = text }
    package init(stringInterpolation: StringInterpolation) { text = stringInterpolation.text }

    package static func += (left: inout HTML, right: HTML) { left.text += right.text }

    package struct StringInterpolation: StringInterpolationProtocol {
        fileprivate var text = ""

        package init(literalCapacity: Int, interpolationCount: Int) { text.reserveCapacity(literalCapacity) }

        package mutating func appendLiteral(_ literal: String) { text += literal }
        package mutating func appendInterpolation(_ html: HTML) { text += html.text }
        package mutating func appendInterpolation(_ string: String) { text += HTML.escaped(string) }
        package mutating func appendInterpolation(_ number: Int) { text += String(number) }
        /// A coordinate, to a hundredth.
        package mutating func appendInterpolation(_ number: Double) { text += NumberText.fixed(number, places: 2) }
    }

    private static func escaped(_ string: String) -> String {
        var text = ""
        for scalar in string.unicodeScalars {
            switch scalar {
            case "&": text += "&amp;"
            case "<": text += "&lt;"
            case ">": text += "&gt;"
            case "\"": text += "&quot;"
            case "'": text += "&#39;"
            // What HTML has no character for.
            case "\u{0}"..."\u{8}", "\u{B}", "\u{C}", "\u{E}"..."\u{1F}", "\u{7F}"..."\u{9F}": text += "\u{FFFD}"
            default: text.unicodeScalars.append(scalar)
            }
        }
        return text
    }
}

extension Sequence<HTML> {
    package func joined(_ separator: HTML = "") -> HTML {
        var (all, isFirst) = (HTML(raw: ""), true)
        for one in self {
            if !isFirst { all += separator }
            all += one
            isFirst = false
        }
        return all
    }
}
