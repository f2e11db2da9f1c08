package import SluiceCore
internal import Synchronization

/// The event `audit` of `GET /v1/events`: one record of `<application>.events`.
package struct AuditEvent: Hashable, Sendable, Decodable {
    package var id: String
    /// `reset`, `swap`, `import`, `refused`, `boundary`, or what later versions add.
    package var type: String
    package var stream: String?
    /// In place of the stream: all whose key begins so; empty for every stream.
    package var prefix: String?
    package var partition: Int32
    /// The first input folded after it.
    package var offset: Offset
    /// The version a swap went to.
    package var model: String?
    /// The version it came from.
    package var previous: String?
    /// Why, for a boundary or a command that was refused.
    package var cause: String?
    package var by: String
    package var time: Timestamp

    package init(
        id: String, type: String, stream: String? = nil, prefix: String? = nil, partition: Int32, offset: Offset,
        model: String? = nil, previous: String? = nil, cause: String? = nil, by: String, time: Timestamp
    ) {
        self.id = id
        self.type = type
        self.stream = stream
        self.prefix = prefix
        self.partition = partition
        self.offset = offset
        self.model = model
        self.previous = previous
        self.cause = cause
        self.by = by
        self.time = time
    }
}

extension AuditEvent: JSONWritable {
    package func write(to json: inout JSONWriter) {
        json.object {
            $0.member("id", id)
            $0.member("type", type)
            $0.member("stream", stream)
            $0.member("prefix", prefix)
            $0.member("partition", partition)
            $0.member("offset", offset)
            $0.member("model", model)
            $0.member("previous", previous)
            $0.member("cause", cause)
            $0.member("by", by)
            $0.member("time", time)
        }
    }
}

/// Hands audit events on to whoever listens, and keeps the latest of them for who comes later.
package final class AuditFeed: Sendable {
    package static let historyMaximum = 100

    private struct State {
        /// In the order of their times: what is read at start comes partition by partition.
        var history: [AuditEvent] = []
        var readers: [Int: @Sendable (AuditEvent) -> Void] = [:]
        var nextReader = 0
    }

    private let state = Mutex(State())

    package init() {}

    /// An event that the history holds already, as after a reader's restart, is passed over.
    package func publish(_ event: AuditEvent) {
        let readers = state.withLock { state in
            guard !state.history.contains(where: { $0.id == event.id && $0.partition == event.partition }) else {
                return [Int: @Sendable (AuditEvent) -> Void]()
            }
            let place = state.history.lastIndex { $0.time.milliseconds <= event.time.milliseconds }
            state.history.insert(event, at: place.map { $0 + 1 } ?? 0)
            if state.history.count > Self.historyMaximum { state.history.removeFirst() }
            return state.readers
        }
        // Without the lock: a reader may be gone when it returns, and then detaches.
        for reader in readers.values { reader(event) }
    }

    /// Calls `reader` with the history, then with every event as it comes, from any thread; readers return at once.
    ///
    /// - Returns: what `detach` takes.
    func attach(_ reader: @escaping @Sendable (AuditEvent) -> Void) -> Int {
        state.withLock { state in
            for event in state.history { reader(event) }
            state.nextReader += 1
            state.readers[state.nextReader] = reader
            return state.nextReader
        }
    }

    func detach(_ reader: Int) { state.withLock { _ = $0.readers.removeValue(forKey: reader) } }
}
