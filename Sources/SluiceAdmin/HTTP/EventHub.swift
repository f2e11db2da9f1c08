internal import NIOCore
internal import ServiceLifecycle
internal import SluiceCore
internal import Synchronization

/// Feeds the open streams of events: what several of them show is asked for once.
final class EventHub: Sendable {
    private static let interval = Duration.seconds(1)
    private static let keepAliveInterval = Duration.seconds(15)

    private struct Reader {
        weak var subscription: EventSubscription?
    }

    private struct State {
        var readers: [Int: Reader] = [:]
        var next = 0
        var isEnding = false
    }

    private let backend: any AdminBackend
    private let state = Mutex(State())
    /// Who came, to be told the state of things without waiting for the next round.
    private let arrivals: AsyncStream<Reader>
    private let arrival: AsyncStream<Reader>.Continuation

    init(backend: any AdminBackend) {
        self.backend = backend
        (arrivals, arrival) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(Limits.eventStreams))
    }

    /// Lets a reader in, with the audit's history.
    ///
    /// - Parameter stream: the stream that it follows, too.
    func subscribe(to stream: String?, over channel: any Channel) throws -> EventSubscription {
        let subscription = EventSubscription(stream: stream, channel: channel)
        let id: Int? = state.withLock { state in
            guard state.readers.count < Limits.eventStreams, !state.isEnding else { return nil }
            state.next += 1
            state.readers[state.next] = Reader(subscription: subscription)
            return state.next
        }
        guard let id else {
            throw Problem(.eventsFull, "\(Limits.eventStreams) streams of events are open already: close one of them")
        }
        subscription.onLeave { [self] in state.withLock { _ = $0.readers.removeValue(forKey: id) } }
        let audit = backend.audit
        let reader = audit.attach { [weak subscription] in subscription?.send("audit", $0) }
        subscription.onLeave { audit.detach(reader) }
        arrival.yield(Reader(subscription: subscription))
        return subscription
    }

    private var subscriptions: [EventSubscription] {
        state.withLock { $0.readers.values.compactMap(\.subscription) }
    }

    /// Feeds them until the task is cancelled; on graceful shutdown ends them all, or the server would wait for them.
    func run() async {
        await withGracefulShutdownHandler {
            await feed()
        } onGracefulShutdown: {
            self.state.withLock { $0.isEnding = true }
            for subscription in self.subscriptions { subscription.end() }
        }
    }

    private func feed() async {
        await withTaskGroup { group in
            group.addTask {
                while (try? await Task.sleep(for: Self.interval)) != nil { await self.refresh(self.subscriptions) }
            }
            group.addTask {
                for await reader in self.arrivals { await self.refresh([reader.subscription].compactMap(\.self)) }
            }
            // On its own: a refresh waits for workers, which may take its time.
            group.addTask {
                while (try? await Task.sleep(for: Self.keepAliveInterval)) != nil {
                    for subscription in self.subscriptions { subscription.keepAlive() }
                }
            }
        }
    }

    /// Sends the state of things to some readers.
    func refresh(_ subscriptions: [EventSubscription]) async {
        guard !subscriptions.isEmpty else { return }
        let overview = await backend.overview()
        for subscription in subscriptions { subscription.send("overview", overview) }
        for (key, followers) in Dictionary(grouping: subscriptions, by: \.stream) {
            guard let key else { continue }
            do {
                let text = JSONWriter.text(of: try await backend.stream(key, fullState: false))
                for follower in followers { follower.send(stream: text) }
            } catch {
                // Not to be told now: what was sent last stands.
            }
        }
    }
}
