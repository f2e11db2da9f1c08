extension PrometheusRegistry {
    /// All metrics in Prometheus' text format 0.0.4, ordered by name and labels.
    package func exposition() -> String {
        var text = ""
        for family in snapshot() {
            let description = family.description
            let help = description.help.replacing("\\", with: "\\\\").replacing("\n", with: "\\n")
            text += "# HELP \(description.name) \(help)\n"
            text += "# TYPE \(description.name) \(description.kind.typeName)\n"
            for (labels, cell) in family.series.sorted(by: { $0.key.text < $1.key.text }) {
                switch cell {
                case .scalar(let cell): text += "\(description.name)\(labels) \(Self.number(cell.value))\n"
                case .histogram(let cell): Self.append(cell, named: description.name, labels, to: &text)
                }
            }
        }
        return text
    }

    private static func append(
        _ cell: HistogramCell, named name: String, _ labels: MetricLabels, to text: inout String
    ) {
        let counts = cell.counts
        var cumulated: UInt64 = 0
        for (bucket, count) in counts.buckets.enumerated() {
            cumulated += count
            let bound = bucket < cell.bounds.count ? number(cell.bounds[bucket]) : "+Inf"
            text += "\(name)_bucket\(labels.adding("le", bound)) \(cumulated)\n"
        }
        text += "\(name)_sum\(labels) \(number(counts.sum))\n"
        text += "\(name)_count\(labels) \(cumulated)\n"
    }

    private static func number(_ value: Double) -> String {
        if value.isNaN { return "NaN" }
        if value.isInfinite { return value > 0 ? "+Inf" : "-Inf" }
        if let whole = Int64(exactly: value) { return String(whole) }
        return String(value)
    }
}
