/// Produces encoded outputs, at least once: `produce`, `flush`, then the consumer commits. Confined to one thread.
/// `TransactionalProducer` is its exactly-once counterpart.
public protocol LogProducer: AnyObject {
    /// Takes what it has room for of the entries that are not handed over yet, and marks them in the batch; order is
    /// kept within a partition. Throws for an entry that can never be produced.
    ///
    /// - Returns: whether it has taken all.
    @discardableResult
    func produce(_ batch: inout OutputBatch) throws -> Bool
    /// Serves delivery reports, waiting up to the given time for one. Throws when any output was not delivered.
    func poll(timeoutMilliseconds: Int) throws
    /// Waits until all that was produced is delivered; false when the time is over first. Throws when any was not
    /// delivered.
    func flush(timeoutMilliseconds: Int) throws -> Bool
    /// Remembers what has been produced so far, once all that was remembered before is delivered.
    func mark() throws
    /// Whether all that was produced before the last mark is delivered.
    var isMarkDelivered: Bool { get }
    /// Messages that may wait for their delivery, here and before it.
    var messagesMaximum: Int { get }
    /// Messages not yet acknowledged.
    var pending: Int { get }
    /// The largest message (key, value and headers) that may be produced, in bytes.
    var messageBytesMax: Int { get }
    /// Calls `body` from a client thread when there are reports of delivery where there were none.
    func onDelivery(_ body: @escaping @Sendable () -> Void)
    /// Drops what is not delivered.
    func close()
}

extension LogProducer {
    /// Of one that knows no more than how much is under way.
    public func mark() {}
    public var isMarkDelivered: Bool { pending == 0 }
    /// Of one that has no threads: its reports come in `poll`.
    public func onDelivery(_ body: @escaping @Sendable () -> Void) {}
}

/// What is known of a topic.
public struct TopicDescription: Sendable, Equatable {
    /// In a topic to be created: as many partitions as the broker gives of itself.
    public static let brokersPartitions = -1

    public var name: String
    public var partitions: Int
    /// Configuration entries the broker told of, by name; empty where it tells none (the embedded broker).
    public var configuration: [String: String]

    public init(name: String, partitions: Int, configuration: [String: String] = [:]) {
        self.name = name
        self.partitions = partitions
        self.configuration = configuration
    }
}

/// Topic administration. Calls block for at most the time given.
public protocol LogAdmin: AnyObject {
    /// The cluster's id.
    func clusterID(timeoutMilliseconds: Int) throws -> String
    /// Those of the named topics that exist.
    func describe(_ topics: [String], timeoutMilliseconds: Int) throws -> [TopicDescription]
    /// Creates a topic; an existing one is an error with code `topic-exists`.
    func create(_ topic: TopicDescription, timeoutMilliseconds: Int) throws
}
