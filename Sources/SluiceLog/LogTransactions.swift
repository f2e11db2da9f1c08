public import SluiceCore

/// A member's place in its group at one moment: what the broker holds the positions of a transaction against.
public struct GroupMembership: Sendable, Equatable {
    public var group: String
    /// Counts the group's rebalances, from 0.
    public var generation: Int32
    public var member: String
    /// The member's static identity (`group.instance.id`); nil without one.
    public var instance: String?

    public init(group: String, generation: Int32, member: String, instance: String? = nil) {
        self.group = group
        self.generation = generation
        self.member = member
        self.instance = instance
    }
}

/// All that one transaction holds, encoded and kept until its outcome is known, so that the same bytes can be sent
/// again.
///
/// `@unchecked Sendable`: lent to the producer's thread from `TransactionalProducer.start` until the answer; the worker
/// touches it before and after, never meanwhile.
public final class Transaction: @unchecked Sendable {
    public var outputs = OutputBatch()
    public var positions: [CommittedPosition] = []

    public init() {}

    /// Forgets the content, keeps the memory.
    public func removeAll() {
        outputs.removeAll()
        positions.removeAll(keepingCapacity: true)
    }

    /// Where it is empty: gives its memory back.
    public func releaseMemory() { outputs.releaseMemory() }
}

/// A step of a transaction's life that waits for brokers.
public enum TransactionCall: Sendable {
    /// Before the first transaction: fences earlier producers of the same name and waits until what they had under way
    /// is decided.
    case initialise
    /// Begins a transaction, produces its outputs in their order and waits until all are delivered.
    case produce(Transaction)
    /// Adds the transaction's positions to it, in the name of a member of the group.
    case sendPositions(Transaction, GroupMembership)
    case commit
    case abort
}

/// How a call ended.
public enum TransactionAnswer: Sendable {
    case done
    case failed(TransactionFailure)
}

/// Why a call did not succeed, and what may be done about it.
public struct TransactionFailure: Error, Sendable {
    public enum Remedy: Sendable {
        /// The same call again: nothing has been decided (retriable).
        case again
        /// The transaction must be aborted; it may be sent again then (abortable).
        case abort
        /// The producer is of no use any more, or nobody can say what has become of the transaction (fatal, fenced,
        /// indefinite): a new one under the same name decides it, and the log says how.
        case anew
    }

    public var remedy: Remedy
    public var error: SluiceError

    public init(_ remedy: Remedy, _ error: SluiceError) {
        self.remedy = remedy
        self.error = error
    }
}

/// A producer whose outputs reach readers together with the group's positions, or not at all.
///
/// Its calls wait for brokers, and the worker does not: they run on a thread of the client, one at a time, and are
/// asked after. Confined to one thread but for that.
public protocol TransactionalProducer: AnyObject {
    /// The largest message (key, value and headers) that may be produced, in bytes.
    var messageBytesMax: Int { get }
    /// Starts a call. There is none under way.
    func start(_ call: TransactionCall)
    /// The answer to the call under way, once; nil as long as there is none.
    func answer() -> TransactionAnswer?
    /// Offset behind the last record that the last `produce` delivered to a partition of the changelog; nil where it
    /// delivered none, or cannot tell.
    func changelogEnd(_ partition: Int32) -> Offset?
    /// Calls `body` from a client thread whenever an answer is there.
    func onAnswer(_ body: @escaping @Sendable () -> Void)
    /// Gives up what is under way. The log decides it: by a successor of the same name, or by time.
    func close()
}
