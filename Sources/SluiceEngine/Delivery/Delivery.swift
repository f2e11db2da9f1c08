import SluiceCore
package import SluiceLog

/// How what a worker folds reaches the log and the store: outputs, audit, state and positions. Confined to the worker.
package protocol Delivery: AnyObject {
    /// Where outputs are appended.
    var open: Transaction { get set }
    /// The largest message that may be produced, in bytes.
    var messageBytesMax: Int { get }
    /// Partitions may be restored and inputs folded.
    var isReady: Bool { get }
    /// No input may be folded now: something must be delivered first.
    var isHeldBack: Bool { get }
    /// Held back for so long that the input is paused, which throws away what is prefetched.
    var isBlocked: Bool { get }
    /// How long the worker may wait for inputs at most.
    var waitMilliseconds: Int { get }

    /// Held back, and not blocked yet: waits a moment for room, and blocks where that has been too often in a row.
    func awaitRoom(_ worker: Worker) throws

    /// What is to be committed.
    var wait: CommitWait { get }

    /// Before anything of a restored partition is folded.
    func begin(_ state: PartitionState) throws
    /// Called at the beginning of each turn.
    func advance(_ worker: Worker) throws
    /// The outputs of so many inputs, which arrived at this time, have been appended to `open`.
    func deliver(_ records: Int, arrived nanoseconds: Int64, _ worker: Worker) throws
    /// The record of a command has been appended to `open`: it must be safe before anything that depends on it is.
    func recorded(_ worker: Worker) throws
    /// A command took effect.
    func applied()
    /// A position has moved, and nothing was folded.
    func moved()
    func commitIfDue(_ worker: Worker) throws
    /// Delivers, stores and commits all that was folded; gives up after so many seconds, which loses nothing: what is
    /// not committed is read again.
    func settle(_ worker: Worker, seconds: Int) throws
    /// Partitions have gone to another owner before all of theirs was committed: none of it may be.
    func lost(_ worker: Worker)
    /// Nothing is under way, and nothing waits to go.
    var isAtRest: Bool { get }
    /// Gives back the memory of what is empty.
    func releaseMemory()
    /// Asked of a thread of the client whenever `advance` has something to do.
    func onAnswer(_ body: @escaping @Sendable () -> Void)
    func close()
}

/// What travels in the metadata string of a commit; 5,000 bytes would be refused.
struct CommitMetadata: Equatable {
    private static let mark = "sluice3"
    /// Without the number of partitions.
    private static let markBefore = "sluice2"

    /// First input that a restart folds again.
    var replayFrom: Offset
    /// First command that has not taken effect.
    var controlOffset: Offset
    /// Names the log of state that belongs to the commit; empty without one.
    var identity = ""
    /// First input ever folded of a partition that did not begin at its first one; nil: all that there is.
    var origin: Offset?
    /// Partitions of the input, by which keys hashed to this one; nil in commits of before it was recorded.
    var partitions: Int?

    init(
        replayFrom: Offset, controlOffset: Offset, identity: String = "", origin: Offset? = nil, partitions: Int? = nil
    ) {
        self.replayFrom = replayFrom
        self.controlOffset = controlOffset
        self.identity = identity
        self.origin = origin
        self.partitions = partitions
    }

    /// Nil for a commit that was made by something else.
    init?(_ text: String) {
        var parts = text.split(separator: " ", omittingEmptySubsequences: false)
        if parts.count > 4, parts[0] == Self.mark {
            guard let count = Int(parts.remove(at: 4)), count > 0 else { return nil }
            partitions = count
        } else if parts.first != Substring(Self.markBefore) {
            return nil
        }
        guard (4...5).contains(parts.count), let replayFrom = Offset(parts[1]), let control = Offset(parts[2])
        else { return nil }
        (self.replayFrom, controlOffset, identity) = (replayFrom, control, String(parts[3]))
        guard parts.count == 5 else { return }
        guard let origin = Offset(parts[4]) else { return nil }
        self.origin = origin
    }

    var text: String {
        let mark = partitions == nil ? Self.markBefore : Self.mark
        let more = (partitions.map { " \($0)" } ?? "") + (origin.map { " \($0)" } ?? "")
        return "\(mark) \(replayFrom) \(controlOffset) \(identity)\(more)"
    }
}
