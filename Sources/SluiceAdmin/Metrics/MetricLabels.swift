/// The labels of a series, as they are written: sorted by name, escaped, in braces.
struct MetricLabels: Hashable, CustomStringConvertible {
    /// Without the braces; empty for no labels.
    let text: String

    /// Of two values for one name the last counts.
    init(_ dimensions: [(String, String)]) {
        let pairs = Dictionary(dimensions.map { (MetricName.validLabel($0), $1) }, uniquingKeysWith: { $1 })
        text = pairs.sorted { $0.key < $1.key }
            .map { "\($0)=\"\(Self.escaped($1))\"" }
            .joined(separator: ",")
    }

    private init(text: String) { self.text = text }

    var description: String { text.isEmpty ? "" : "{\(text)}" }

    func adding(_ name: String, _ value: String) -> MetricLabels {
        MetricLabels(text: (text.isEmpty ? "" : text + ",") + "\(name)=\"\(value)\"")
    }

    private static func escaped(_ value: String) -> String {
        value.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"").replacing("\n", with: "\\n")
    }
}

/// Names that Prometheus accepts.
enum MetricName {
    /// Letters, digits, `_` and `:`; ends in the suffix.
    static func valid(_ label: String, suffix: String = "") -> String {
        let name = sanitized(label)
        return name.hasSuffix(suffix) ? name : name + suffix
    }

    /// As for metrics, without colons; `le` is the histograms' own.
    static func validLabel(_ label: String) -> String {
        let name = sanitized(label).replacing(":", with: "_")
        return name == "le" ? "le_" : name
    }

    private static func sanitized(_ label: String) -> String {
        var name = String(
            label.unicodeScalars.map { scalar -> Character in
                let isValid = scalar.isASCII && (scalar.properties.isAlphabetic || ("0"..."9").contains(scalar))
                return isValid || scalar == ":" ? Character(scalar) : "_"
            })
        if name.first?.isNumber ?? true { name = "_" + name }
        return name
    }
}
