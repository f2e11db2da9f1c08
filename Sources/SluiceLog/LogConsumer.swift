public import SluiceCore

/// How far a consumer group has come in a partition, with the metadata string committed beside it.
public struct CommittedPosition: Sendable, Equatable {
    public var partition: Int32
    /// The next offset to be read.
    public var offset: Offset
    public var metadata: String

    public init(partition: Int32, offset: Offset, metadata: String) {
        self.partition = partition
        self.offset = offset
        self.metadata = metadata
    }
}

/// Told of rebalances, on the consuming thread, from inside `LogConsumer.poll` or `close`. Must not block.
public protocol RebalanceListener: AnyObject {
    /// Newly owned partitions; none where the group has more members than partitions. Gated: nothing of them is
    /// delivered before `LogConsumer.start`.
    func partitionsAssigned(_ partitions: [Int32])
    /// Owned until this returns: the last moment to flush, save and commit.
    func partitionsRevoked(_ partitions: [Int32])
    /// Already owned by someone else: discard, never commit.
    func partitionsLost(_ partitions: [Int32])
}

/// A member of a consumer group on one input topic. Confined to one thread but for `wake`.
public protocol LogConsumer: AnyObject {
    /// Joins the group. Rebalances reach `listener`, which the consumer does not retain.
    func subscribe(_ listener: any RebalanceListener) throws

    /// Waits until something arrives, `wake` is called or the time is over, then drains what is there without waiting
    /// for more: at most `limit` records, in offset order within a partition. Records die when `body` returns.
    func poll(timeoutMilliseconds: Int, limit: Int, _ body: (UnsafeBufferPointer<LogRecord>) throws -> Void) throws

    /// Opens the gate of an assigned partition at an offset.
    func start(partition: Int32, at offset: Offset) throws
    /// The next offset to be delivered of an opened partition: behind the last record handed over and, once the end was
    /// met, behind the marks of transactions and the aborted records there, which are never handed over. Nil where that
    /// is not known.
    func position(_ partition: Int32) -> Offset?
    /// Stops and restarts delivery from where it stands, for back-pressure. Membership goes on as long as `poll` is
    /// called.
    func pause(_ partitions: [Int32]) throws
    func resume(_ partitions: [Int32]) throws

    /// The group's committed positions; partitions without one are left out. Waits for the broker, not on a
    /// callback's path.
    func committed(_ partitions: [Int32], timeoutMilliseconds: Int) throws -> [CommittedPosition]
    /// Begins to commit, and forgets what was begun before.
    ///
    /// - Throws: `retry: .later` while the group rebalances, `.fatal` when the assignment was lost meanwhile.
    func startCommit(_ positions: [CommittedPosition]) throws
    /// Waits up to the given time for the answer to the commit that was begun last; whether it is there.
    ///
    /// - Throws: as `startCommit`, and where the coordinator refuses.
    func isCommitAnswered(timeoutMilliseconds: Int) throws -> Bool
    /// First offset still there, and the offset the next record will get.
    func watermarks(partition: Int32, timeoutMilliseconds: Int) throws -> (low: Offset, high: Offset)
    /// This member's place in its group now, for the positions of a transaction.
    ///
    /// - Throws: `retry: .fatal` when the assignment was lost, `retry: .later` for a member that has not joined or is
    ///   joining anew: a broker would take positions from nobody in particular (measured on 3.6: generation −1 with
    ///   an empty member is accepted).
    func membership() throws -> GroupMembership

    /// Makes a waiting `poll` return. From any thread.
    func wake()
    /// Leaves the group: `partitionsRevoked` is called for what is owned.
    func close()
}

extension LogConsumer {
    /// Commits and waits for the answer.
    ///
    /// - Throws: as `startCommit`; without an answer it is indefinite, and committing again is harmless.
    public func commit(_ positions: [CommittedPosition]) throws {
        try startCommit(positions)
        guard try isCommitAnswered(timeoutMilliseconds: 10_000) else {
            throw SluiceError(.broker, "a commit of offsets has no answer after 10 s", retry: .later)
        }
    }

    /// Of one that knows its records alone.
    public func position(_ partition: Int32) -> Offset? { nil }
}

/// A reader outside any group, of partitions it is told to read: recorded commands, events, the changelog.
/// Confined to one thread.
public protocol LogReader: AnyObject {
    /// Reads these partitions from these offsets, and no others.
    func assign(_ positions: [TopicPartition: Offset]) throws
    /// Drains what has arrived, at most `limit` records, waiting up to the given time for the first. `topic` belongs
    /// to each record.
    func poll(timeoutMilliseconds: Int, limit: Int, _ body: (_ topic: String, LogRecord) throws -> Void) throws
    /// First offset still there, and the offset behind the last record that is decided.
    func watermarks(_ partition: TopicPartition, timeoutMilliseconds: Int) throws -> (low: Offset, high: Offset)
    /// The offset behind the last record of all, of a transaction under way included: when `position` has come there,
    /// every record that was there at the time of asking is decided and read.
    func highWatermark(_ partition: TopicPartition, timeoutMilliseconds: Int) throws -> Offset
    /// The next offset to be read of an assigned partition: behind the last record handed over and, once the end was
    /// met, behind the marks of transactions and the aborted records there, which are never handed over.
    func position(_ partition: TopicPartition) -> Offset?
    /// First offset whose record's timestamp is not earlier; nil where the broker cannot tell or there is none.
    func offset(_ partition: TopicPartition, at time: EpochMilliseconds, timeoutMilliseconds: Int) throws -> Offset?
    /// Calls `body` from a client thread whenever records arrive after a poll found nothing.
    func onArrival(_ body: @escaping @Sendable () -> Void)
    func close()
}
