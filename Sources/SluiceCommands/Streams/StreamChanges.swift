internal import SluiceAdmin
internal import SluiceCore

/// What is new since the look before, as plain lines.
struct StreamChanges {
    private var seen: [String: StreamSummary] = [:]
    private var offset: Offset = -1

    mutating func lines(of page: StreamPage) -> [String] {
        let changed = page.streams.filter { seen[$0.stream] != $0 }
        seen = Dictionary(page.streams.map { ($0.stream, $0) }, uniquingKeysWith: { $1 })
        return changed.map { stream in
            "\(Shown.text(stream.time)) \(stream.stream.printable) step=\(stream.step)"
                + " forecast=\(Shown.number(stream.forecast)) anomaly=\(Shown.score(stream.anomaly))"
                + " error=\(Shown.number(stream.error))"
        }
    }

    mutating func lines(of slot: StreamSlot) -> [String] {
        let fresh = slot.recent.filter { $0.offset > offset }
        offset = max(offset, fresh.last?.offset ?? -1)
        return fresh.map { step in
            "\(Shown.text(step.time)) offset=\(step.offset) step=\(step.step) value=\(Shown.number(step.value))"
                + " forecast=\(Shown.number(step.forecast)) anomaly=\(Shown.score(step.anomaly))"
                + (step.boundary.map { " boundary=\($0)" } ?? "")
        }
    }
}
