/// Prometheus' text format, read as strictly as it is meant, and the naming rules of its documentation.
struct PrometheusText {
    struct Sample {
        let name: String
        let labels: [(name: String, value: String)]
        let value: String
    }

    struct Family {
        let name: String
        let help: String
        let type: String
        var samples: [Sample] = []
    }

    private(set) var families: [Family] = []
    private(set) var problems: [String] = []

    init(_ text: String) {
        var help: (name: String, text: String)?
        for line in text.split(separator: "\n", omittingEmptySubsequences: false).dropLast() {
            if let match = line.wholeMatch(of: /# HELP (\w+) (.*)/) {
                help = (String(match.1), String(match.2))
            } else if let match = line.wholeMatch(of: /# TYPE (\w+) (counter|gauge|histogram)/) {
                if help?.name != String(match.1) { problems.append("\(match.1): no HELP before TYPE") }
                if families.contains(where: { $0.name == match.1 }) { problems.append("\(match.1): twice") }
                families.append(Family(name: String(match.1), help: help?.text ?? "", type: String(match.2)))
                help = nil
            } else if let sample = Self.sample(line), let last = families.indices.last, families[last].owns(sample) {
                families[last].samples.append(sample)
            } else {
                problems.append("not understood: \(line)")
            }
        }
        if !text.hasSuffix("\n") { problems.append("the last line does not end") }
        for family in families { problems += family.problems.map { "\(family.name): \($0)" } }
    }

    private static func sample(_ line: Substring) -> Sample? {
        guard let match = line.wholeMatch(of: /([a-zA-Z_:][a-zA-Z0-9_:]*)(?:{(.*)})? (\S+)/),
            Double(match.3.replacing("Inf", with: "inf")) != nil
        else { return nil }
        var labels: [(String, String)] = []
        var rest = match.2 ?? ""
        while let label = rest.prefixMatch(of: /([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)",?/) {
            labels.append((String(label.1), String(label.2)))
            rest = rest[label.range.upperBound...]
        }
        return rest.isEmpty ? Sample(name: String(match.1), labels: labels, value: String(match.3)) : nil
    }
}

extension PrometheusText.Family {
    /// Units that have a base unit, as a part of a name.
    private static let wrongUnits: Set<String> = [
        "ms", "us", "ns", "milliseconds", "microseconds", "nanoseconds", "minutes", "hours", "days", "kb", "mb", "kib",
        "mib", "kilobytes", "megabytes", "bits", "percent", "celsius",
    ]

    fileprivate func owns(_ sample: PrometheusText.Sample) -> Bool {
        guard type == "histogram" else { return sample.name == name }
        return ["_bucket", "_sum", "_count"].contains { sample.name == name + $0 }
    }

    fileprivate var problems: [String] {
        var problems: [String] = []
        if help.isEmpty || help == "Not described." { problems.append("no help") }
        if !help.hasSuffix(".") { problems.append("help is no sentence") }
        if (type == "counter") != name.hasSuffix("_total") {
            problems.append("_total is for counters, and all of them")
        }
        if name.wholeMatch(of: /[a-z][a-z0-9]*(_[a-z0-9]+)*/) == nil { problems.append("not snake_case") }
        let parts = name.split(separator: "_").map(String.init)
        if parts.contains(where: Self.wrongUnits.contains) { problems.append("not a base unit") }
        if parts.contains(where: ["counter", "gauge", "histogram"].contains) {
            problems.append("its type in its name")
        }
        if type != "histogram", ["count", "sum", "bucket"].contains(parts.last) { problems.append("reserved suffix") }
        if samples.isEmpty { problems.append("no samples") }
        let series = samples.map { "\($0.name)\($0.labels.map { "\($0.name)=\($0.value)" }.sorted())" }
        if Set(series).count != series.count { problems.append("a series twice") }
        for sample in samples {
            if Set(sample.labels.map(\.name)).count != sample.labels.count { problems.append("a label twice") }
        }
        let names = Set(samples.map { $0.labels.map(\.name).filter { $0 != "le" }.sorted() })
        if names.count > 1 { problems.append("series with different labels") }
        return problems + (type == "histogram" ? histogramProblems : [])
    }

    /// Buckets cumulate in the order of their bounds up to the count.
    private var histogramProblems: [String] {
        let groups = Dictionary(grouping: samples) { $0.labels.filter { $0.name != "le" }.map(\.value) }
        return groups.values.flatMap { group in
            let buckets = group.filter { $0.name == name + "_bucket" }
            let bounds = buckets.map { $0.labels.first { $0.name == "le" }?.value ?? "" }
            let values = buckets.compactMap { Int($0.value) }
            let numbers = bounds.compactMap { Double($0.replacing("Inf", with: "inf")) }
            var problems: [String] = []
            if numbers.count < 2 || numbers != Array(Set(numbers)).sorted() { problems.append("bounds out of order") }
            if bounds.last != "+Inf" { problems.append("no bucket to infinity") }
            if values != values.sorted() { problems.append("buckets do not cumulate") }
            let count = group.first { $0.name == name + "_count" }
            if count?.value != buckets.last?.value { problems.append("the count is not the last bucket's") }
            if !group.contains(where: { $0.name == name + "_sum" }) { problems.append("no sum") }
            return problems
        }
    }
}
