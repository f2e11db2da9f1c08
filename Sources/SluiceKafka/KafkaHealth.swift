package import Logging
internal import Synchronization

/// Whether Kafka is there, for all handles of the process together: read by `readyz`, fed by librdkafka's own threads.
///
/// librdkafka retries for ever with back-off and says so on every attempt. Here that becomes one line when the brokers
/// have been away for a second, one more whenever that time has doubled (and ten seconds have passed), and one when
/// they are back.
package final class KafkaHealth: Sendable {
    package enum State: Sendable, Equatable {
        /// No handle has reached a broker yet.
        case connecting
        case connected
        case away(since: ContinuousClock.Instant, reason: String)
    }

    private struct Absence {
        var since: ContinuousClock.Instant
        var reason: String
    }
    private struct Content {
        var reached = false
        /// Handles that at present reach no broker at all, by the name of the handle.
        var absent: [String: Absence] = [:]
        var reported = false
        var nextReport = KafkaHealth.grace
    }

    /// A first address that refuses (IPv6 before IPv4) is not news.
    static let grace = Duration.seconds(1)

    private let logger: Logger
    private let content = Mutex(Content())

    package init(logger: Logger) { self.logger = logger }

    package var state: State {
        let now = ContinuousClock.now
        return content.withLock { content in
            if let first = Self.oldest(content), now - first.since >= Self.grace {
                return .away(since: first.since, reason: first.reason)
            }
            return content.reached ? .connected : .connecting
        }
    }

    /// A handle's connection to some broker is up.
    func brokerUp(_ handle: String) {
        let away: Duration? = content.withLock { content in
            content.reached = true
            let absence = content.absent.removeValue(forKey: handle)
            guard content.absent.isEmpty, content.reported else { return nil }
            content.reported = false
            content.nextReport = Self.grace
            return absence.map { ContinuousClock.now - $0.since }
        }
        if let away { logger.notice("Kafka is back", metadata: ["away_seconds": "\(away.components.seconds)"]) }
    }

    /// A handle has no connection left. Told again at each failed attempt.
    func brokersDown(_ handle: String, reason: String) {
        let now = ContinuousClock.now
        let report: Absence? = content.withLock { content in
            content.absent[handle, default: Absence(since: now, reason: reason)].reason = reason
            guard let first = Self.oldest(content), now - first.since >= content.nextReport else { return nil }
            content.reported = true
            content.nextReport = max((now - first.since) * 2, .seconds(10))
            return first
        }
        if let report {
            logger.warning(
                "Kafka is away, retrying",
                metadata: ["seconds": "\((now - report.since).components.seconds)", "reason": "\(report.reason)"])
        }
    }

    /// A handle is gone: what it missed no longer counts.
    func forget(_ handle: String) {
        content.withLock { content in
            content.absent[handle] = nil
            if content.absent.isEmpty {
                content.reported = false
                content.nextReport = Self.grace
            }
        }
    }

    private static func oldest(_ content: Content) -> Absence? {
        content.absent.values.min { $0.since < $1.since }
    }
}
