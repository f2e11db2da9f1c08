public import SluiceCore

/// Where an output goes. The producer knows the topics' names.
public enum OutputTopic: UInt8, Sendable, CaseIterable {
    case predictions, rejects, events, control
    /// The changelog: slots, markers and heads.
    case slots
    /// Input, which only a demonstration or a measurement produces.
    case observations
}

/// Encoded messages in the order they are to be produced: bytes in one arena, an entry each.
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
    /// Entries that a producer has taken.
    public private(set) var handedOver = 0
    /// Bytes of the arena that belong to them.
    private var handedOverBytes = 0

    /// Used in turn with `arena`.
    private var spare = ByteArena(capacity: 1)

    public init() {}

    /// Whether a producer has taken all entries.
    public var isHandedOver: Bool { next == entries.count }

    /// Entries that no producer has taken.
    public var waiting: Int { entries.count - handedOver }
    /// Bytes of those.
    public var waitingBytes: Int { arena.count - handedOverBytes }

    /// A producer has taken an entry.
    public mutating func handOver(_ index: Int) {
        entries[index].isHandedOver = true
        handedOver += 1
        handedOverBytes += bytes(of: entries[index])
        while next < entries.count && entries[next].isHandedOver { next += 1 }
    }

    /// As if no producer had taken any.
    public mutating func rewind() {
        (next, handedOver, handedOverBytes) = (0, 0, 0)
        for index in entries.indices { entries[index].isHandedOver = false }
    }

    /// Forgets the entries that a producer has taken, and their bytes; the others stay in their order.
    public mutating func dropHandedOver() {
        var (kept, keptHeaders) = (0, 0)
        for index in next..<entries.count where !entries[index].isHandedOver {
            var entry = entries[index]
            entry.key = entry.key.map { moved($0) }
            entry.value = entry.value.map { moved($0) }
            let first = keptHeaders
            for header in entry.headers {
                headers[keptHeaders] = Header(name: headers[header].name, value: moved(headers[header].value))
                keptHeaders += 1
            }
            entry.headers = first..<keptHeaders
            entries[kept] = entry
            kept += 1
        }
        entries.removeLast(entries.count - kept)
        headers.removeLast(headers.count - keptHeaders)
        (next, handedOver, handedOverBytes) = (0, 0, 0)
        swap(&arena, &spare)
        spare.removeAll()
    }

    /// Copies bytes into the spare arena; where they are there.
    private mutating func moved(_ range: Range<Int>) -> Range<Int> {
        let start = spare.count
        spare.append(arena.bytes(range))
        return start..<spare.count
    }

    private func bytes(of entry: Entry) -> Int {
        var count = (entry.key?.count ?? 0) + (entry.value?.count ?? 0)
        for index in entry.headers { count += headers[index].value.count }
        return count
    }

    /// Forgets the content, keeps the memory: but what a burst took of it goes when many batches after that are small.
    public mutating func removeAll() {
        let capacity = arena.capacity
        (next, handedOver, handedOverBytes) = (0, 0, 0)
        arena.removeAll()
        spare.removeAll()
        entries.removeAll(keepingCapacity: arena.capacity == capacity)
        headers.removeAll(keepingCapacity: arena.capacity == capacity)
    }

    /// Of an empty batch: gives its memory back.
    public mutating func releaseMemory() {
        if entries.isEmpty && arena.count == 0 { self = OutputBatch() }
    }
}
