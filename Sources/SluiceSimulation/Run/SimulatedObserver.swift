import SluiceCore
import SluiceEngine
import SluiceSchema

/// Keeps what an engine says, for the reader of a failure.
///
/// `@unchecked Sendable`: a run has one thread.
final class SimulatedObserver: EngineObserver, @unchecked Sendable {
    private(set) var notes: [String] = []
    /// Rejects by code.
    private(set) var rejects: [String: Int] = [:]
    private let now: () -> Int64

    init(_ now: @escaping () -> Int64) { self.now = now }

    func batchDone(_ report: BatchReport) {}
    func rejected(_ counts: [String: Int]) { rejects.merge(counts, uniquingKeysWith: +) }
    func committed(_ report: CommitReport) {}
    func restoring(_ progress: [Int32: Double]) {}
    func live(_ partition: Int32, _ report: RestoreReport) {}
    func commandApplied(_ event: Event, matched: Int) { say("command \(event.id) at \(event.offset)") }
    func outputBlocked(_ isBlocked: Bool) { say(isBlocked ? "blocked" : "unblocked") }
    func note(_ message: String, _ partition: Int32?, error: SluiceError?) {
        say("\(partition.map { "[\($0)] " } ?? "")\(message)\(error.map { ": \($0)" } ?? "")")
    }

    func say(_ text: String) {
        if notes.count >= 400 { notes.removeFirst(200) }
        notes.append("\(now() / 1_000_000): \(text)")
    }
}
