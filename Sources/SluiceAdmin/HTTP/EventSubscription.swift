internal import NIOCore
internal import SluiceCore
internal import Synchronization

/// One reader of `GET /v1/events`: what waits for it, up to a bound. Letting go of it is leaving.
final class EventSubscription: Sendable {
    /// How long the browser waits before it comes again.
    private static let retryMilliseconds = 2_000
    /// What an unread end may take before the connection is closed under it.
    private static let endSeconds: Int64 = 5

    private struct State {
        var waiting: String
        var streamText: String?
        var onLeave: [@Sendable () -> Void] = []
        var isClosed = false
    }

    /// The stream that is followed, too.
    let stream: String?
    private let channel: any Channel
    private let state: Mutex<State>
    private let signals: AsyncStream<Void>
    private let signal: AsyncStream<Void>.Continuation

    init(stream: String?, channel: any Channel) {
        self.stream = stream
        self.channel = channel
        state = Mutex(State(waiting: "retry: \(Self.retryMilliseconds)\n\n"))
        (signals, signal) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
        signal.yield()
    }

    deinit { for leave in state.withLock({ $0.onLeave }) { leave() } }

    /// Called when the reader has gone.
    func onLeave(_ body: @escaping @Sendable () -> Void) { state.withLock { $0.onLeave.append(body) } }

    /// Queues one event; a reader that lets too much wait loses its connection instead.
    func send(_ event: String, _ value: some JSONWritable) {
        send(Self.frame(event, JSONWriter.text(of: value)))
    }

    /// Queues the state of the stream that is followed, unless it is what was sent last.
    func send(stream text: String) {
        let isNew = state.withLock { state in
            defer { state.streamText = text }
            return state.streamText != text
        }
        if isNew { send(Self.frame("stream", text)) }
    }

    /// Queues a line that readers ignore: it shows both sides, and what is between them, that the connection is used.
    func keepAlive() { send(": keep-alive\n\n") }

    /// JSON text has no line breaks of its own, so every event is one line of data.
    private static func frame(_ event: String, _ json: String) -> String { "event: \(event)\ndata: \(json)\n\n" }

    private func send(_ frame: String) {
        let isTooSlow = state.withLock { state in
            guard !state.isClosed else { return false }
            guard state.waiting.utf8.count + frame.utf8.count <= Limits.eventBytesWaiting else {
                state.isClosed = true
                state.waiting = ""
                return true
            }
            state.waiting += frame
            return false
        }
        if isTooSlow {
            signal.finish()
            channel.close(promise: nil)
        } else {
            signal.yield()
        }
    }

    /// Ends the stream in order; its connection does not outlive that for long.
    func end() {
        signal.finish()
        channel.eventLoop.scheduleTask(in: .seconds(Self.endSeconds)) { [channel] in channel.close(promise: nil) }
    }

    private func take() -> String {
        state.withLock { state in
            defer { state.waiting = "" }
            return state.waiting
        }
    }
}

/// What is to be written, as it comes.
extension EventSubscription: AsyncSequence {
    struct AsyncIterator: AsyncIteratorProtocol {
        fileprivate let subscription: EventSubscription
        fileprivate var signals: AsyncStream<Void>.AsyncIterator

        mutating func next(isolation actor: isolated (any Actor)?) async -> ByteBuffer? {
            while await signals.next(isolation: actor) != nil {
                let text = subscription.take()
                if !text.isEmpty { return ByteBuffer(string: text) }
            }
            return nil
        }
    }

    func makeAsyncIterator() -> AsyncIterator {
        AsyncIterator(subscription: self, signals: signals.makeAsyncIterator())
    }
}
