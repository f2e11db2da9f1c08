/// What of one partition a producer has on its way.
///
/// An idempotent producer of librdkafka begins no request for a partition of which five messages are under way
/// (`rktp_msgs_inflight` counts messages, where requests are meant), and while more of it is due the broker's thread
/// asks again without a pause: on a machine of few cores that takes more of the processor than the fold
/// (`rd_kafka_toppar_producer_serve`; the same in 2.0 and 2.12). So a partition is handed what one request takes, and
/// more when that is answered: what would wait in librdkafka's queue waits before it, in larger requests, and nothing
/// is slower for it.
///
/// Confined to the thread that produces and polls.
struct SendWindow {
    /// `RD_KAFKA_IDEMP_MAX_INFLIGHT`.
    private static let underwayMaximum = 5

    /// When a request is full, and how long librdkafka waits for it to be.
    struct Limits {
        let messages: Int
        let bytes: Int
        let linger: Duration
    }

    /// Messages handed over on which librdkafka has not reported.
    private var underway = 0
    /// Of the last request.
    private var began = ContinuousClock.Instant.now
    private var messages = 0
    private var bytes = 0
    /// The last round in which there was no room: what comes behind has none either, for the order's sake.
    private var fullRound = 0

    mutating func report() { underway -= 1 }

    /// Takes in a message, unless it would have to wait.
    ///
    /// - Parameters:
    ///   - round: number of the call that hands it over.
    ///   - now: when that began.
    mutating func admit(_ size: Int, _ limits: Limits, round: Int, now: ContinuousClock.Instant) -> Bool {
        guard fullRound != round else { return false }
        let joins =
            underway > 0 && messages < limits.messages && bytes + size <= limits.bytes && now - began < limits.linger
        if !joins {
            guard underway < Self.underwayMaximum else {
                fullRound = round
                return false
            }
            (began, messages, bytes) = (now, 0, 0)
        }
        underway += 1
        messages += 1
        bytes += size
        return true
    }

    /// The last message taken in was not handed over after all.
    mutating func takeBack(_ size: Int) {
        underway -= 1
        messages -= 1
        bytes -= size
    }
}

/// The windows of all partitions of all topics of a producer, at addresses that librdkafka hands back with each report.
@safe
final class SendWindows {
    private let limits: SendWindow.Limits
    /// By topic, then partition; "any" is the first.
    private var windows: [[UnsafeMutablePointer<SendWindow>]] = unsafe []
    private var round = 0

    init(_ limits: SendWindow.Limits, topics: Int) {
        self.limits = limits
        unsafe windows = unsafe Array(repeating: [], count: topics)
    }

    deinit { unsafe windows.joined().forEach { unsafe $0.deallocate() } }

    func beginRound() { round += 1 }

    /// The partition's window, if it takes the message.
    @inline(__always)
    func admit(
        topic: Int, partition: Int, size: Int, now: ContinuousClock.Instant
    ) -> UnsafeMutablePointer<SendWindow>? {
        while unsafe windows[topic].count <= partition + 1 {
            let window = UnsafeMutablePointer<SendWindow>.allocate(capacity: 1)
            unsafe window.initialize(to: SendWindow())
            unsafe windows[topic].append(window)
        }
        let window = unsafe windows[topic][partition + 1]
        return unsafe window.pointee.admit(size, limits, round: round, now: now) ? window : nil
    }

    /// A message has been reported on.
    @inline(__always)
    static func report(_ opaque: UnsafeMutableRawPointer?) {
        unsafe opaque?.assumingMemoryBound(to: SendWindow.self).pointee.report()
    }
}
