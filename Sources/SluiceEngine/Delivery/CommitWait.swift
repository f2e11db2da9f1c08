import SluiceCore

/// Since when something waits to be committed, by the monotonic clock, and what has kept it.
package struct CommitWait {
    /// The next step of what is under way is looked for at least this often; most of what brings it about
    /// wakes the worker.
    static let stepMilliseconds = 5

    /// Nanoseconds; what is in no commit yet.
    private var open: Int64?
    /// What a commit was begun of that is not known to have succeeded.
    private var begun: Int64?
    /// Why the last attempt was refused; nil where none was.
    var refusal: SluiceError?

    /// There is something to begin a commit of.
    var isDue: Bool { open != nil }
    /// Nil where nothing waits.
    var since: Int64? { begun ?? open }

    /// Something was folded or commanded.
    mutating func add(at now: @autoclosure () -> Int64) { if open == nil { open = now() } }

    mutating func begin() { (begun, open) = (since, nil) }

    /// What was begun is committed, or there was nothing to say.
    mutating func end() { (begun, refusal) = (nil, nil) }
}
