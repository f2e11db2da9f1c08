import SluiceCore

/// Commits that do not come: all goes on but for that, and nobody would notice before a restart.
extension Worker {
    /// Nanoseconds for which the oldest input or command has waited that is not committed; 0 at rest.
    package var commitAgeNanoseconds: Int64 {
        delivery.wait.since.map { max(0, resources.clock.monotonicNanoseconds() - $0) } ?? 0
    }

    /// Nothing has been committed for long, though there is something to commit and nothing restores.
    package var isCommitStalled: Bool { commitAgeNanoseconds >= settings.stalledNanoseconds && isWhole }

    /// Says once that commits do not come.
    func reportStall() {
        guard isCommitStalled else { return isStallSaid = false }
        guard !isStallSaid else { return }
        isStallSaid = true
        let refusal = delivery.wait.refusal
        resources.observer.note(
            refusal == nil ? "a commit has no answer yet" : "commits are refused, and tried again", nil, error: refusal)
    }
}
