package import SluiceCore
package import SluiceSchema

/// What happened in one batch; plain numbers, reported once per batch.
package struct BatchReport: Sendable, Equatable {
    package var records = 0
    package var predictions = 0
    package var rejects = 0
    package var dropped = 0
    package var ended = 0
    package var boundaries = 0
    /// Folded again after a restart, without output.
    package var replayed = 0
    package var stepNanoseconds: Int64 = 0
    /// When the batch arrived, by the monotonic clock.
    package var arrivedNanoseconds: Int64 = 0

    package init() {}
}

/// What was committed, once per commit.
package struct CommitReport: Sendable, Equatable {
    /// From its beginning to its end.
    package var nanoseconds: Int64 = 0
    /// Slots stored with it.
    package var slots = 0
    /// Bytes of keys and values stored with it: exactly-once also those of the changelog.
    package var stateBytes = 0

    package init() {}
}

/// What becomes of a transaction that is not committed.
package enum TransactionFault: Sendable {
    /// It is aborted, and the same bytes are sent again.
    case aborted
    /// A producer is made anew, and what was not committed is folded again.
    case begunAnew
}

/// How a partition came back, once it is live.
package struct RestoreReport: Sendable, Equatable {
    /// From its assignment on.
    package var nanoseconds: Int64
    /// Whose states were there, in memory and in the store, before inputs were folded again.
    package var streams: Int
    /// Inputs folded again.
    package var replayed: Offset
}

/// Told by workers what happens, on their threads; implementations are quick and thread-safe.
package protocol EngineObserver: AnyObject, Sendable {
    func batchDone(_ report: BatchReport)
    /// Inputs whose outputs have left, so long after they arrived: handed to the client, or, exactly-once, committed.
    func produced(_ records: Int, after nanoseconds: Int64)
    /// Rejects of a batch by code, only when there are any.
    func rejected(_ counts: [String: Int])
    func committed(_ report: CommitReport)
    func transactionFailed(_ fault: TransactionFault)
    /// Partitions that are on the way to be live, with the share that is done, 0 to 1; every other second.
    func restoring(_ progress: [Int32: Double])
    /// A partition has come back: from now on it answers.
    func live(_ partition: Int32, _ report: RestoreReport)
    func commandApplied(_ event: Event, matched: Int)
    func outputBlocked(_ isBlocked: Bool)
    /// Something a person should read, with the partition it concerns.
    func note(_ message: String, _ partition: Int32?, error: SluiceError?)
}

/// Where nobody counts them.
extension EngineObserver {
    package func transactionFailed(_ fault: TransactionFault) {}
    package func produced(_ records: Int, after nanoseconds: Int64) {}
}
