internal import SluiceCore

/// A value of the effective configuration, ready to be written as YAML or JSON.
package indirect enum ConfigurationValue: Sendable, Equatable {
    package struct Member: Sendable, Equatable {
        package let key: String
        package let value: ConfigurationValue
    }

    case null
    case flag(Bool)
    case integer(Int)
    case number(Double)
    case text(String)
    case list([ConfigurationValue])
    /// In order.
    case mapping([Member])
}

extension ConfigurationValue {
    /// As JSON without spaces.
    package var json: String {
        switch self {
        case .null: "null"
        case .flag(let value): value ? "true" : "false"
        case .integer(let value): String(value)
        case .number(let value): Self.shortest(value)
        case .text(let value): JSONText.quoted(value)
        case .list(let values): "[" + values.map(\.json).joined(separator: ",") + "]"
        case .mapping(let members):
            "{" + members.map { JSONText.quoted($0.key) + ":" + $0.value.json }.joined(separator: ",") + "}"
        }
    }

    /// As YAML on one line.
    package var yaml: String {
        switch self {
        case .null, .flag, .integer, .number: json
        case .text(let value): Self.plainOrQuoted(value)
        case .list(let values): "[" + values.map(\.yaml).joined(separator: ", ") + "]"
        case .mapping(let members):
            "{" + members.map { Self.pair($0.key, $0.value.yaml, separator: " ") }.joined(separator: ", ") + "}"
        }
    }

    /// The shortest digits that parse back to the same number; whole numbers without a fraction.
    private static func shortest(_ value: Double) -> String {
        let text = "\(value)"
        return text.hasSuffix(".0") ? String(text.dropLast(2)) : text
    }

    /// `key: value`. What is longer than a YAML reader takes for a key without being told so begins with a mark, and
    /// has `separator` before its value.
    static func pair(_ key: String, _ value: String, separator: String) -> String {
        let text = plainOrQuoted(key)
        return text.utf8.count <= 1_000 ? "\(text): \(value)" : "? \(text)\(separator): \(value)"
    }

    /// Without quotes where no YAML reader can take the text for anything else.
    static func plainOrQuoted(_ text: String) -> String {
        guard let first = text.unicodeScalars.first else { return "\"\"" }
        let isLetter = first.isASCII && first.properties.isAlphabetic
        let startsPlain = isLetter || "/._+×".unicodeScalars.contains(first) || ("0"..."9").contains(first)
        let isPlain = text.unicodeScalars.allSatisfy {
            $0.isASCII && $0.properties.isAlphabetic || ("0"..."9").contains($0)
                || "/._+-×~:$ ".unicodeScalars.contains($0)
        }
        let words = ["true", "false", "yes", "no", "on", "off", "null", "y", "n", ".nan", ".inf"]
        let ambiguous =
            Double(text) != nil || words.contains(text.lowercased()) || text.contains(": ") || text.hasSuffix(":")
            || text.hasSuffix(" ") || text.first == "." && text.dropFirst().allSatisfy(\.isNumber)
            || text.allSatisfy { $0.isNumber || $0 == ":" }
        return startsPlain && isPlain && !ambiguous ? text : quoted(text)
    }

    /// A JSON string is a YAML string too, but for characters that YAML calls not printable, or breaks lines at
    /// (YAML 1.1, 5.1 and 5.4): those are escaped.
    private static func quoted(_ text: String) -> String {
        JSONText.quoted(text).unicodeScalars.reduce(into: "") { quoted, scalar in
            switch scalar.value {
            case 0x7F...0x9F, 0x2028, 0x2029, 0xFEFF, 0xFFFE, 0xFFFF:
                let digits = String(scalar.value, radix: 16)
                quoted += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: quoted.unicodeScalars.append(scalar)
            }
        }
    }
}
