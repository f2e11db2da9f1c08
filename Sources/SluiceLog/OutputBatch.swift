public import SluiceCore

/// Where an output goes. The producer knows the topics' names.
public enum OutputTopic: UInt8, Sendable, CaseIterable {
    case predictions, rejects, events, control
    /// The changelog: slots, markers and heads.
    case slots
    /// Input, which only a demonstration or a measurement produces.
    case observations
}

/// Encoded messages in the order they are to be produced, kept until their delivery is known: bytes in one arena, an
/// entry each.
public struct OutputBatch: ~Copyable {
    public struct Entry {
        public var topic: OutputTopic
        /// −1: any.
        public var partition: Int32
        /// Milliseconds since 1970, 0: now.
        public var timestamp: EpochMilliseconds
        /// Ranges of the arena; nil is null.
        public var key: Range<Int>?
        public var value: Range<Int>?
        /// Indices into `headers`.
        public var headers: Range<Int>
        fileprivate(set) public var isHandedOver = false

        public init(
            topic: OutputTopic, partition: Int32, timestamp: EpochMilliseconds = 0, key: Range<Int>?,
            value: Range<Int>?, headers: Range<Int> = 0..<0
        ) {
            self.topic = topic
            self.partition = partition
            self.timestamp = timestamp
            self.key = key
            self.value = value
            self.headers = headers
        }
    }

    public struct Header {
        public var name: String
        public var value: Range<Int>

        public init(name: String, value: Range<Int>) {
            self.name = name
            self.value = value
        }
    }

    public var arena = ByteArena()
    public var entries: [Entry] = []
    public var headers: [Header] = []
    /// The first entry that no producer has taken: behind it are some that one has.
    public private(set) var next = 0

    public init() {}

    /// Whether a producer has taken all entries.
    public var isHandedOver: Bool { next == entries.count }

    /// Entries that no producer has taken, and those behind the first of them.
    public var waiting: Int { entries.count - next }

    /// A producer has taken an entry.
    public mutating func handOver(_ index: Int) {
        entries[index].isHandedOver = true
        while next < entries.count && entries[next].isHandedOver { next += 1 }
    }

    /// As if no producer had taken any.
    public mutating func rewind() {
        next = 0
        for index in entries.indices { entries[index].isHandedOver = false }
    }

    public mutating func removeAll() {
        next = 0
        arena.removeAll()
        entries.removeAll(keepingCapacity: true)
        headers.removeAll(keepingCapacity: true)
    }
}
