internal import SluiceLSTM

/// What exactly the model was trained on.
struct DataSection {
    /// Of files or partitions: data.json has them all.
    private static let partsMaximum = 100

    private let data: DataManifest

    init(_ data: DataManifest) { self.data = data }

    var html: HTML {
        var html: HTML = """
            <p>\(NumberText.count(data.observations)) observations of \(NumberText.count(data.streams)) streams. \
            \(parts)\(heldOut)</p>

            """
        if !data.files.isEmpty { html += files }
        if let topic = data.topic { html += partitions(topic) }
        if !data.rejects.isEmpty {
            var table = Table([.text("reject"), .number("count")])
            for (code, count) in data.rejects.sorted(by: { $0.key < $1.key }) {
                table.add(["<code>\(code)</code>", "\(NumberText.count(count))"])
            }
            html += "<h3>Rejects</h3>\n\(table.html)"
        }
        return html
    }

    private var parts: String {
        let held = data.heldOut
        let counts = [
            (held.trainObservations, "trained"), (held.validationObservations, "validated"),
            (held.testObservations, "tested"),
        ].compactMap { count, name in count.flatMap { $0 > 0 ? "\(name) on \(NumberText.count($0))" : nil } }
        guard let first = counts.first else { return "" }
        return first.prefix(1).uppercased() + ([String(first.dropFirst())] + counts.dropFirst()).joined(separator: ", ")
            + ". "
    }

    private var heldOut: String {
        let held = data.heldOut
        var parts: [String] = []
        if let from = held.validationFrom { parts.append("validation from \(from)") }
        if let from = held.testFrom { parts.append("test from \(from)") }
        if let count = held.validationStreams, count > 0 { parts.append("\(count) streams for validation") }
        if let count = held.testStreams, count > 0 { parts.append("\(count) streams for the test") }
        return parts.isEmpty ? "Nothing was held out." : "Held out: " + parts.joined(separator: ", ") + "."
    }

    private var files: HTML {
        var table = Table([
            .text("file"), .number("bytes"), .number("observations"), .number("rejects"), .text("from"), .text("to"),
            .text("sha256"),
        ])
        for file in data.files.prefix(Self.partsMaximum) {
            table.add([
                "\(file.name)", "\(NumberText.count(file.bytes))", "\(NumberText.count(file.observations))",
                "\(NumberText.count(file.rejects))", "\(file.first ?? "–")", "\(file.last ?? "–")",
                "<code>\(String(file.sha256.prefix(16)))…</code>",
            ])
        }
        return "\(table.html)\(rest(data.files.count))"
    }

    private func partitions(_ topic: DataManifest.Topic) -> HTML {
        var table = Table([
            .number("partition"), .number("from offset"), .number("to, without"), .number("observations"),
            .number("rejects"), .text("from"), .text("to"),
        ])
        for one in topic.partitions.prefix(Self.partsMaximum) {
            table.add([
                "\(Int(one.partition))", "\(Int(one.from))", "\(Int(one.to))", "\(NumberText.count(one.observations))",
                "\(NumberText.count(one.rejects))", "\(one.first ?? "–")", "\(one.last ?? "–")",
            ])
        }
        let cluster = topic.cluster.map { " of cluster \($0)" } ?? ""
        return """
            <p>The topic <code>\(topic.name)</code>\(cluster)\(window(topic.window)).\(commands(topic.commands))</p>
            \(table.html)\(rest(topic.partitions.count))
            """
    }

    private func commands(_ commands: DataManifest.Commands?) -> String {
        guard let commands else { return "" }
        return commands.exists
            ? " Boundaries by recorded commands of \(commands.topic): \(commands.applied)."
            : " There was no topic \(commands.topic): no reset was on record."
    }

    private func window(_ milliseconds: Int64?) -> String {
        guard let milliseconds else { return "" }
        let hours = Double(milliseconds) / 3_600_000
        let text = hours >= 48 ? NumberText.significant(hours / 24) + " days" : NumberText.significant(hours) + " hours"
        return ", its last " + text
    }

    private func rest(_ count: Int) -> HTML {
        count > Self.partsMaximum ? "<p class=\"aside\">And \(count - Self.partsMaximum) more, in data.json.</p>\n" : ""
    }
}
