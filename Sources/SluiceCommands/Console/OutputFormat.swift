internal import Foundation

/// How a command answers.
enum OutputFormat: Sendable {
    /// For people.
    case text
    /// For machines.
    case json
}

/// Values as tables show them.
enum Shown {
    /// Six significant digits, `-` for none.
    static func number(_ value: Float?) -> String {
        guard let value else { return "-" }
        return String(format: "%.6g", Double(value))
    }

    static func score(_ value: Float?) -> String {
        guard let value else { return "-" }
        return String(format: "%.3f", Double(value))
    }

    static func text(_ value: (some CustomStringConvertible)?) -> String { value?.description ?? "-" }

    /// `1 stream`, `2 streams`.
    static func count(_ count: Int, _ noun: String) -> String { "\(count) \(noun)\(count == 1 ? "" : "s")" }

    static func numbers(_ values: [Float]) -> String { values.map { number($0) }.joined(separator: "  ") }
}
