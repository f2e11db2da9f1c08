/// What of one partition a producer has on its way, and what it is handed next.
///
/// An idempotent producer of librdkafka begins no request for a partition of which five messages are under way
/// (`rktp_msgs_inflight` counts messages, where requests are meant), and while more of it is due the broker's thread
/// asks again without a pause: on a machine of few cores that takes more of the processor than the fold
/// (`rd_kafka_toppar_producer_serve`; the same in 2.0 and 2.12). So a partition is handed what one request takes, at
/// once and well within `linger.ms`, and more when that is answered: what would wait in librdkafka's queue waits before
/// it, in larger requests, and nothing is slower for it.
///
/// Confined to the thread that produces and polls.
struct SendWindow {
    /// `RD_KAFKA_IDEMP_MAX_INFLIGHT`.
    private static let underwayMaximum = 5

    /// What one request takes.
    struct Limits {
        /// Some tenths of a millisecond to hand over, well within the usual `linger.ms`.
        static let messagesMaximum = 4_096

        let messages, bytes: Int

        /// - Parameters:
        ///   - messages: `batch.num.messages`.
        ///   - bytes: `batch.size`, of which headers and framing take a part.
        init(messages: Int, bytes: Int) {
            self.messages = min(messages, Self.messagesMaximum)
            self.bytes = bytes / 10 * 9
        }
    }

    private let limits: Limits
    /// Messages handed over on which librdkafka has not reported.
    private(set) var underway = 0
    /// Of those, the ones handed over before the last mark. Counted, for messages to "any" partition are reported on in
    /// any order.
    private(set) var marked = 0
    /// Whether an odd number of marks were made.
    private(set) var isOdd = false
    /// Entries of the batch at hand that are to be handed over.
    var waiting = 0
    /// Entries to be handed over in this round.
    private(set) var chosen: [Int] = []
    private var bytes = 0
    /// No more is chosen in this round: what comes behind has no room either, for the order's sake.
    private var isFull = false

    init(_ limits: Limits) { self.limits = limits }

    mutating func beginRound() {
        chosen.removeAll(keepingCapacity: true)
        bytes = 0
        isFull = underway >= Self.underwayMaximum
    }

    /// Chooses an entry for this round where there is room for it.
    mutating func choose(_ index: Int, size: Int) {
        isFull = isFull || chosen.count == limits.messages || !chosen.isEmpty && bytes + size > limits.bytes
        guard !isFull else { return }
        chosen.append(index)
        bytes += size
    }

    /// Whether more is to be chosen in this round.
    var isHungry: Bool { !isFull && chosen.count < waiting }

    mutating func handedOver(_ count: Int) {
        underway += count
        waiting -= count
    }

    mutating func mark() {
        marked = underway
        isOdd.toggle()
    }

    mutating func reported(isMarked: Bool) {
        underway -= 1
        if isMarked { marked -= 1 }
    }
}
