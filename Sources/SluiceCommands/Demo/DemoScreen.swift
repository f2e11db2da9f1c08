internal import Foundation
internal import SluiceService
import SluiceTraining
internal import Synchronization

/// Shows the demo: a table drawn anew on a terminal, a line every two seconds elsewhere.
final class DemoScreen: Sendable {
    private static let secondsBetweenLines = 2.0

    private struct State {
        /// Lines of the table on the screen, to be drawn over.
        var drawn = 0
        var lastLine = -DemoScreen.secondsBetweenLines
        var notice = ""
    }

    private let console: Console
    private let state = Mutex(State())

    init(console: Console) { self.console = console }

    func show(_ event: Demo.Event) {
        switch event {
        case .stage(let text): line(text)
        case .epoch(let epoch, let epochs):
            let validation = epoch.validation.map { String(format: ", validation %.4f", $0.loss) } ?? ""
            line(String(format: "  epoch %d of %d: loss %.4f", epoch.epoch, epochs, epoch.train.loss) + validation)
        case .reset(let stream, let offset):
            let text = "stream \(stream) was reset by command before input \(offset)"
            state.withLock { $0.notice = text }
            if !console.isTerminal { line(text) }
        case .retrained(let text):
            state.withLock { $0.notice = "retrained: \(text)" }
            if !console.isTerminal { line("retrained: \(text)") }
        case .view(let view): show(view)
        case .summary(let summary): show(summary)
        }
    }

    private func line(_ text: String) {
        state.withLock { $0.drawn = 0 }
        console.line(text)
    }

    private func show(_ view: Demo.View) {
        if console.isTerminal {
            draw(view)
            return
        }
        let isDue = state.withLock { state in
            guard view.elapsed - state.lastLine >= Self.secondsBetweenLines else { return false }
            state.lastLine = view.elapsed
            return true
        }
        if isDue { console.line(Self.counts(view)) }
    }

    private static func counts(_ view: Demo.View) -> String {
        let errors = view.forecastErrors
        let judged =
            errors.count == 0
            ? ""
            : String(
                format: "  error %.2f (naive %.2f)", errors.forecast / Double(errors.count),
                errors.naive / Double(errors.count))
        return String(
            format: "%3.0f s  observations %d  predictions %d  boundaries %d  resets %d  rejects %d", view.elapsed,
            view.observations, view.predictions, view.boundaries, view.resets, view.rejects) + judged
            + "  model \(view.model)" + (view.training == nil ? "" : "  retraining")
    }

    private func draw(_ view: Demo.View) {
        var table = TextTable([
            .left("stream"), .right("value"), .right("forecast"), .right("interval 80 %"), .right("anomaly"),
            .right("step"),
            .right("resets"),
        ])
        for (name, stream, resets) in view.streams {
            table.add([
                name, Self.number(stream.value), Self.number(stream.forecast),
                "\(Self.number(stream.low)) … \(Self.number(stream.high))", Shown.score(stream.anomaly),
                "\(stream.step)",
                "\(resets)",
            ])
        }
        let (drawn, notice) = state.withLock { ($0.drawn, $0.notice) }
        let lines =
            ["", Self.counts(view), notice.isEmpty ? "Ctrl-C ends it" : notice, ""]
            + table.text.split(separator: "\n").map(String.init)
        // Up to the table's first line; each line is cleared before it is written.
        let up = drawn > 0 ? "\u{1B}[\(drawn)A" : ""
        console.out(up + lines.map { "\u{1B}[2K\($0)\n" }.joined())
        state.withLock { $0.drawn = lines.count }
    }

    private static func number(_ value: Float) -> String { value.isNaN ? "-" : String(format: "%.2f", value) }

    private func show(_ summary: DemoSummary) {
        func milliseconds(_ value: Double?) -> String { value.map { String(format: "%.2f ms", $0) } ?? "-" }
        func error(_ value: Double?) -> String { value.map { String(format: "%.3f °F", $0) } ?? "-" }
        let latencies = (
            milliseconds(summary.latencyP50Milliseconds), milliseconds(summary.latencyP99Milliseconds)
        )
        line("")
        line("summary")
        for (name, value) in [
            ("observations", "\(summary.observations)"), ("predictions", "\(summary.predictions)"),
            ("boundaries", "\(summary.boundaries)"), ("resets by command", "\(summary.resets)"),
            ("rejects", "\(summary.rejects)"), ("retrainings", "\(summary.retrainings)"),
            ("swaps", "\(summary.swaps) (of one partition each)"),
            ("forecast error", "\(error(summary.forecastError)) one hour ahead, over \(summary.judged) forecasts"),
            ("naive error", "\(error(summary.naiveError)) (the last value)"), ("verdict", summary.verdict),
            ("latency", "p50 \(latencies.0), p99 \(latencies.1), arrival to produced"),
        ] { line("  " + name.padding(toLength: 20, withPad: " ", startingAt: 0) + value) }
    }
}
