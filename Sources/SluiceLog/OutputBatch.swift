package import SluiceCore

/// Where an output goes. The producer knows the topics' names.
package enum OutputTopic: UInt8, Sendable, CaseIterable {
    case predictions, rejects, events, control
    /// The changelog: slots, markers and heads.
    case slots
    /// Input, which only a demonstration or a measurement produces.
    case observations
}

/// Encoded messages in the order they are to be produced, kept until their delivery is known: bytes in one arena, an
/// entry each.
package struct OutputBatch: ~Copyable {
    package struct Entry {
        package var topic: OutputTopic
        /// −1: any.
        package var partition: Int32
        /// Milliseconds since 1970, 0: now.
        package var timestamp: EpochMilliseconds
        /// Ranges of the arena; nil is null.
        package var key: Range<Int>?
        package var value: Range<Int>?
        /// Indices into `headers`.
        package var headers: Range<Int>
        fileprivate(set) package var isHandedOver = false

        package init(
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

    package struct Header {
        package var name: String
        package var value: Range<Int>

        package init(name: String, value: Range<Int>) {
            self.name = name
            self.value = value
        }
    }

    package var arena = ByteArena()
    package var entries: [Entry] = []
    package var headers: [Header] = []
    /// The first entry that no producer has taken: behind it are some that one has.
    package private(set) var next = 0
    /// Entries that a producer has taken.
    package private(set) var handedOver = 0

    package init() {}

    /// Whether a producer has taken all entries.
    package var isHandedOver: Bool { next == entries.count }

    /// Entries that no producer has taken, and those behind the first of them.
    package var waiting: Int { entries.count - next }

    /// A producer has taken an entry.
    package mutating func handOver(_ index: Int) {
        entries[index].isHandedOver = true
        handedOver += 1
        while next < entries.count && entries[next].isHandedOver { next += 1 }
    }

    /// As if no producer had taken any.
    package mutating func rewind() {
        (next, handedOver) = (0, 0)
        for index in entries.indices { entries[index].isHandedOver = false }
    }

    package mutating func removeAll() {
        (next, handedOver) = (0, 0)
        arena.removeAll()
        entries.removeAll(keepingCapacity: true)
        headers.removeAll(keepingCapacity: true)
    }
}
