internal import Foundation

/// How far a long piece of work is, on stderr: a bar on a terminal, elsewhere a plain line every few seconds. Nothing
/// for work that is over within two seconds. Confined to one thread.
final class ProgressBar {
    private static let secondsBetweenLines = Duration.seconds(5)
    private static let secondsBetweenDrawings = Duration.milliseconds(100)
    private static let width = 24

    private let console: Console
    private let now: () -> ContinuousClock.Instant
    private let started: ContinuousClock.Instant
    /// When the present piece of the work began, and at which share.
    private var piece: (began: ContinuousClock.Instant, share: Double)
    private var last: ContinuousClock.Instant?
    private var isDrawn = false

    init(console: Console, now: @escaping () -> ContinuousClock.Instant = { .now }) {
        self.console = console
        self.now = now
        started = now()
        piece = (started, 0)
    }

    /// Another piece of the work begins, at a share of its own: the time that is left is reckoned from here.
    func begin(at share: Double) { piece = (now(), share) }

    /// - Parameters:
    ///   - share: 0 to 1; nil where the end is not known.
    ///   - text: what is said beside it, such as a rate; made only when it is shown.
    func show(_ share: Double?, _ text: () -> String) {
        let time = now()
        guard time - started >= console.progressAfter else { return }
        let pause = console.isErrorTerminal ? Self.secondsBetweenDrawings : Self.secondsBetweenLines
        if let last, time - last < pause { return }
        last = time
        let parts = [share.map { percent($0) }, text(), remaining(share, time - piece.began)].compactMap { $0 }
        let line = parts.joined(separator: "  ")
        guard console.isErrorTerminal else { return console.errorLine(line) }
        console.error("\r\u{1B}[2K" + (share.map { bar($0) + " " } ?? "") + line)
        isDrawn = true
    }

    /// Takes the bar away, so that other lines can be written; the next `show` draws it again.
    func clear() {
        guard isDrawn else { return }
        console.error("\r\u{1B}[2K")
        isDrawn = false
    }

    private func bar(_ share: Double) -> String {
        let full = min(Self.width, max(0, Int(share * Double(Self.width))))
        return "[" + String(repeating: "#", count: full) + String(repeating: "-", count: Self.width - full) + "]"
    }

    private func percent(_ share: Double) -> String { String(format: "%3.0f %%", 100 * share) }

    private func remaining(_ share: Double?, _ elapsed: Duration) -> String? {
        guard let share, share > piece.share + 0.01 else { return nil }
        return Self.duration((elapsed / .seconds(1)) * (1 - share) / (share - piece.share)) + " left"
    }

    /// Seconds as people read them: `42 s`, `3 min 20 s`, `2 h 5 min`.
    static func duration(_ seconds: Double) -> String {
        let whole = Int(min(max(0, seconds), 1e9).rounded(.up))
        if whole < 60 { return "\(whole) s" }
        if whole < 3_600 { return "\(whole / 60) min \(whole % 60) s" }
        return "\(whole / 3_600) h \(whole / 60 % 60) min"
    }

    /// A rate as people read it: `812/s`, `1.2 k/s`.
    static func rate(_ count: Double, per seconds: Double) -> String {
        guard seconds > 0 else { return "-" }
        let rate = count / seconds
        return rate < 10_000 ? String(format: "%.0f/s", rate) : String(format: "%.0f k/s", rate / 1_000)
    }
}
