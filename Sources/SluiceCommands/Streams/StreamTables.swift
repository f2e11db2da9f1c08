internal import SluiceAdmin

/// Streams as people read them.
enum StreamTables {
    static func list(_ streams: [StreamSummary]) -> TextTable {
        var table = TextTable([
            .left("stream"), .right("partition"), .right("step"), .left("sequence"), .left("time"),
            .right("forecast"), .right("anomaly"), .right("error"),
        ])
        for stream in streams {
            table.add([
                stream.stream, String(stream.partition), String(stream.step), Shown.text(stream.sequence),
                Shown.text(stream.time), Shown.number(stream.forecast), Shown.score(stream.anomaly),
                Shown.number(stream.error),
            ])
        }
        return table
    }

    /// Latest observations in the table of one stream; --json has all that are kept.
    private static let recentShown = 20

    static func recent(_ steps: some Collection<RecentStep>) -> TextTable {
        var table = TextTable([
            .right("offset"), .left("time"), .right("step"), .right("value"), .right("forecast"),
            .right("anomaly"), .left("boundary"),
        ])
        for step in steps {
            table.add([
                String(step.offset), Shown.text(step.time), String(step.step), Shown.number(step.value),
                Shown.number(step.forecast), Shown.score(step.anomaly), step.boundary ?? "",
            ])
        }
        return table
    }

    static func slot(_ slot: StreamSlot) -> String {
        let summary = slot.summary
        let boundary = slot.boundary
        var lines: [(String, String)] = [
            ("stream", summary.stream),
            ("partition", String(summary.partition)),
            ("offset", String(slot.offset)),
            ("model", slot.model),
            ("time", Shown.text(summary.time)),
            ("step", String(summary.step)),
            ("sequence", Shown.text(summary.sequence)),
            ("forecast", Shown.number(summary.forecast)),
            ("anomaly", Shown.score(summary.anomaly)),
            ("error", Shown.number(summary.error)),
            ("boundary", "\(boundary.cause) at offset \(boundary.offset), \(Shown.text(boundary.time))"),
            ("resets", String(slot.resets)),
            ("norm of h", Shown.numbers(slot.norms.h)),
            ("norm of c", Shown.numbers(slot.norms.c)),
            ("saturation", Shown.score(slot.saturation)),
            ("scaler mean", Shown.numbers(slot.scaler.mean)),
            ("scaler scale", Shown.numbers(slot.scaler.scale)),
            ("scaler count", String(slot.scaler.count)),
        ]
        if let state = slot.state {
            for layer in state.h.indices { lines.append(("h of layer \(layer)", Shown.numbers(state.h[layer]))) }
            for layer in state.c.indices { lines.append(("c of layer \(layer)", Shown.numbers(state.c[layer]))) }
        }
        let width = lines.map(\.0.count).max() ?? 0
        let head = lines.map { name, value in
            name + String(repeating: " ", count: width + 2 - name.count) + value.printable + "\n"
        }.joined()
        return slot.recent.isEmpty ? head : head + "\n" + recent(slot.recent.suffix(recentShown)).text
    }
}
