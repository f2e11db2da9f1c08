internal import SluiceCore

/// What a setting may be: how it is read, and how it is written again.
struct SettingKind<Value>: Sendable {
    /// Lists and mappings arrive as YAML in variables and flags; everything else is taken there word for word.
    var isScalar = true
    /// Reports all that is wrong, then returns nil.
    let parse: @Sendable (RawNode, inout [Mismatch]) -> Value?
    let render: @Sendable (Value) -> ConfigurationValue
}

extension SettingKind {
    /// One scalar; `parse` gets its text.
    static func scalar(
        _ expected: String, render: @escaping @Sendable (Value) -> ConfigurationValue,
        parse: @escaping @Sendable (String) throws(Mismatch) -> Value
    ) -> SettingKind {
        SettingKind(
            parse: { node, mismatches in
                guard case .scalar(let text) = node.content else {
                    mismatches.append(Mismatch("expected \(expected), not \(node.description)", line: node.line))
                    return nil
                }
                do throws(Mismatch) {
                    return try parse(text)
                } catch {
                    mismatches.append(Mismatch(error.message, line: node.line))
                    return nil
                }
            }, render: render)
    }

    /// The same, with nil as a default.
    func optional() -> SettingKind<Value?> {
        SettingKind<Value?>(
            isScalar: isScalar,
            parse: { node, mismatches in parse(node, &mismatches).map { .some($0) } },
            render: { $0.map(render) ?? .null })
    }

    /// A list of it. Variables and flags may leave the brackets out.
    func list() -> SettingKind<[Value]> {
        SettingKind<[Value]>(
            isScalar: false,
            parse: { node, mismatches in
                guard case .list(let nodes) = node.content else {
                    mismatches.append(Mismatch("expected a list, not \(node.description)", line: node.line))
                    return nil
                }
                let values = nodes.compactMap { parse($0, &mismatches) }
                return values.count == nodes.count ? values : nil
            },
            render: { .list($0.map(render)) })
    }
}

extension SettingKind where Value == String {
    static var text: SettingKind {
        scalar("a text", render: { .text($0) }) { text throws(Mismatch) in
            guard !text.isEmpty else { throw Mismatch("is empty") }
            return text
        }
    }

    /// A JSON pointer (RFC 6901), but not to the whole record.
    static var pointer: SettingKind {
        scalar("a JSON pointer such as /time", render: { .text($0) }) { text throws(Mismatch) in
            guard text.first == "/" else {
                throw Mismatch("\"\(text)\" is not a JSON pointer; did you mean \"/\(text)\"?")
            }
            let afterTildes = text.split(separator: "~", omittingEmptySubsequences: false).dropFirst()
            guard afterTildes.allSatisfy({ $0.first == "0" || $0.first == "1" }) else {
                throw Mismatch("\"\(text)\" is not a JSON pointer: after \"~\" comes 0 (for \"~\") or 1 (for \"/\")")
            }
            return text
        }
    }

    static var topic: SettingKind {
        scalar("a topic", render: { .text($0) }) { text throws(Mismatch) in
            try checkTopic(text, longest: 249)
            return text
        }
    }

    /// The longest internal topic is the name and nine more characters (`.control` has eight).
    static var application: SettingKind {
        scalar("a name", render: { .text($0) }) { text throws(Mismatch) in
            try checkTopic(text, longest: 240)
            return text
        }
    }

    /// As Kafka: 1 to 249 of a–z, A–Z, 0–9, `.`, `_`, `-`, and neither `.` nor `..`.
    private static func checkTopic(_ text: String, longest: Int) throws(Mismatch) {
        let isLegal = text.utf8.allSatisfy {
            switch $0 {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "-"):
                true
            default: false
            }
        }
        guard isLegal, !text.isEmpty, text != ".", text != ".." else {
            throw Mismatch("\"\(text)\" is not a legal topic name: letters, digits, \".\", \"_\" and \"-\" only")
        }
        guard text.utf8.count <= longest else { throw Mismatch("is longer than \(longest) characters") }
    }
}

extension SettingKind where Value == Int {
    static func integer(_ range: ClosedRange<Int>) -> SettingKind {
        scalar("a whole number", render: { .integer($0) }) { text throws(Mismatch) in
            guard let value = Int(text) else { throw Mismatch("\"\(text)\" is not a whole number") }
            guard range.contains(value) else {
                throw Mismatch("\(value) is not \(bounds(range.lowerBound, range.upperBound))")
            }
            return value
        }
    }

    private static func bounds(_ lower: Int, _ upper: Int) -> String {
        upper == .max ? "\(lower) or more" : "between \(lower) and \(upper)"
    }
}

extension SettingKind where Value == UInt64 {
    static var seed: SettingKind {
        scalar("a whole number", render: { .integer(Int($0)) }) { text throws(Mismatch) in
            guard let value = Int(text), value >= 0 else {
                throw Mismatch("\"\(text)\" is not a whole number of 0 or more")
            }
            return UInt64(value)
        }
    }
}

extension SettingKind where Value == Double {
    /// A decimal number for which `isLegal` holds; `range` says so in words, such as "above 0".
    static func number(_ range: String, where isLegal: @escaping @Sendable (Double) -> Bool) -> SettingKind {
        scalar("a number", render: { .number($0) }) { text throws(Mismatch) in
            let isDecimal = text.utf8.allSatisfy { "+-.0123456789eE".utf8.contains($0) }
            guard isDecimal, let value = Double(text), value.isFinite else {
                throw Mismatch("\"\(text)\" is not a number")
            }
            guard isLegal(value) else { throw Mismatch("\(text) is not \(range)") }
            return value
        }
    }
}

extension SettingKind where Value == Bool {
    static var flag: SettingKind {
        scalar("true or false", render: { .flag($0) }) { text throws(Mismatch) in
            switch text {
            case "true": return true
            case "false": return false
            default: throw Mismatch("\"\(text)\" is neither true nor false")
            }
        }
    }
}

extension SettingKind where Value == Duration {
    static var duration: SettingKind {
        scalar("a duration", render: { .text(DurationText.string($0)) }) { text throws(Mismatch) in
            try DurationText.parse(text)
        }
    }
}

extension SettingKind where Value: RawRepresentable<String> & CaseIterable & Sendable {
    /// One of the names of an enum.
    static var choice: SettingKind {
        scalar("a word", render: { .text($0.rawValue) }) { text throws(Mismatch) in try named(text) }
    }

    private static func named(_ text: String) throws(Mismatch) -> Value {
        if let value = Value(rawValue: text) { return value }
        let names = Value.allCases.map(\.rawValue)
        throw Mismatch(
            "\"\(text)\" is not one of \(names.joined(separator: ", "))\(Suggestion.text(for: text, among: names))")
    }
}
