internal import SluiceCore
package import SluiceSchema

/// `input`: the topic of observations and how its records are read.
package struct InputSection: Sendable, Equatable {
    package enum Format: String, Sendable, CaseIterable {
        case json, csv
    }

    package struct Feature: Sendable, Equatable {
        package let name: String
        /// RFC 6901. Of JSON only: in CSV the column bears the feature's name.
        package let pointer: String
    }

    package let topic: String
    package let format: Format
    /// The fields of a CSV record in order: `stream`, `time`, features by name, `sequence`, `boundary`, `label`; others
    /// are passed over. Empty for JSON.
    package let columns: [String]
    /// JSON pointers, as the three further down.
    package let time: String
    /// In the order of the model's inputs.
    package let features: [Feature]
    package let label: String
    package let sequence: String
    package let boundary: String
    package let missing: MissingPolicy
    package let late: LatePolicy

    init(_ reader: inout SettingsReader) {
        topic = reader.read("input.topic", .topic, required: "input")
        format = reader.read("input.format", .choice, default: .json)
        columns = reader.read("input.columns", listOf: .text, default: [])
        time = reader.read("input.time", .pointer, default: "/time")
        features = reader.read("input.features", .features, required: [])
        label = reader.read("input.label", .pointer, default: "/label")
        sequence = reader.read("input.sequence", .pointer, default: "/sequence")
        boundary = reader.read("input.boundary", .pointer, default: "/boundary")
        missing = reader.read("input.missing", .choice, default: .carry)
        late = reader.read("input.late", .choice, default: .apply)
        if format == .csv { checkColumns(&reader) }
    }

    /// A CSV record has no header, so each feature must be among the columns; where time is not, Kafka's stands in.
    private func checkColumns(_ reader: inout SettingsReader) {
        guard reader.isSound("input.columns") else { return }
        guard !columns.isEmpty else {
            reader.report("input.columns", "is missing: with \"format: csv\" it lists a record's columns in order")
            return
        }
        for column in Set(columns.filter { name in columns.count { $0 == name } > 1 }).sorted() {
            reader.report("input.columns", "lists \"\(column)\" twice")
        }
        for feature in features where !columns.contains(feature.name) {
            let hint = Suggestion.text(for: feature.name, among: columns)
            reader.report("input.columns", "lacks the feature \"\(feature.name)\"\(hint)")
        }
        for feature in features where Self.fields.contains(feature.name) {
            reader.report(
                "input.features", "\"\(feature.name)\" is a field's column in CSV; name the feature otherwise")
        }
    }

    /// The columns of CSV that are no features.
    private static let fields: Set<String> = ["stream", "time", "sequence", "boundary", "label"]
}

extension SettingKind where Value == [InputSection.Feature] {
    /// `name: pointer` for each feature, in order.
    static var features: SettingKind {
        SettingKind(
            isScalar: false,
            parse: { node, mismatches in
                let expected = "expected features such as {temperature: /values/temperature}"
                guard case .mapping(let members) = node.content else {
                    mismatches.append(Mismatch("\(expected), not \(node.description)", line: node.line))
                    return nil
                }
                guard !members.isEmpty, members.count <= Limits.inputs else {
                    mismatches.append(
                        Mismatch(members.isEmpty ? expected : "more than \(Limits.inputs) features", line: node.line))
                    return nil
                }
                let features = members.compactMap { member -> InputSection.Feature? in
                    var own: [Mismatch] = []
                    let pointer = SettingKind<String>.pointer.parse(member.value, &own)
                    if member.key.isEmpty { own.append(Mismatch("a feature has no name", line: member.line)) }
                    mismatches += own.map {
                        Mismatch("\(member.key): \($0.message)", line: $0.line ?? member.line)
                    }
                    return own.isEmpty ? pointer.map { InputSection.Feature(name: member.key, pointer: $0) } : nil
                }
                return features.count == members.count ? features : nil
            },
            render: { features in
                .mapping(features.map { .init(key: $0.name, value: .text($0.pointer)) })
            })
    }
}
