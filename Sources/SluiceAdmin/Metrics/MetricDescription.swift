/// What a metric is called, what it means and how it counts.
package struct MetricDescription: Hashable, Sendable {
    package enum Kind: Hashable, Sendable {
        case counter
        case gauge
        /// Upper bounds, ascending, in the metric's base unit; the bucket up to infinity is implied.
        case histogram([Double])
    }

    /// Ends in its base unit, and in `_total` for counters.
    package let name: String
    package let help: String
    package let kind: Kind
    /// Names of the labels that each of its series has, but for a histogram's own.
    package let labels: [String]

    package init(_ name: String, _ help: String, _ kind: Kind, labels: [String] = []) {
        self.name = name
        self.help = help
        self.kind = kind
        self.labels = labels
    }
}

extension MetricDescription.Kind {
    /// From 100 µs to 10 s.
    package static let seconds = MetricDescription.Kind.histogram([
        0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10,
    ])
    /// From one to the largest batch.
    package static let records = MetricDescription.Kind.histogram([1, 4, 16, 64, 256, 1_024, 4_096])

    var typeName: String {
        switch self {
        case .counter: "counter"
        case .gauge: "gauge"
        case .histogram: "histogram"
        }
    }
}
