internal import CLibrdkafka
internal import SluiceLog

/// Has a client fetch again as soon as half of what it may prefetch is used.
///
/// A client stops fetching where its queue holds `queued.max.messages.kbytes` or `queued.min.messages`, and what is
/// taken from the queue does not wake the thread that fetches: it looks again when something else comes, or after a
/// second (`rd_kafka_broker_consumer_serve`, librdkafka 2.0). So a worker could take one queueful a second. Any request
/// to a partition's leader wakes its thread, and a question that is not waited for is one: for the end of the log,
/// which a broker has in memory. From 2.2 on the client looks by itself, as often as `fetch.queue.backoff.ms` says.
/// Where a partition is read from a follower (`client.rack`) before that, it still looks after a second.
struct Prefetch {
    private let bytesMaximum, messagesMaximum: Int
    private let isNeeded: Bool
    /// It may have stopped since the last time that it was woken.
    private var isFull = false

    init(_ settings: Settings) {
        self.init(
            bytesMaximum: (settings.number("queued.max.messages.kbytes") ?? 65_536) * 1_024,
            messagesMaximum: settings.number("queued.min.messages") ?? 100_000,
            isNeeded: PropertyTable.shared.scopes["fetch.queue.backoff.ms"] == nil)
    }

    init(bytesMaximum: Int, messagesMaximum: Int, isNeeded: Bool = true) {
        (self.bytesMaximum, self.messagesMaximum, self.isNeeded) = (bytesMaximum, messagesMaximum, isNeeded)
    }

    /// Whether the client is to be woken now.
    ///
    /// - Parameters:
    ///   - held: messages that the queue held before the last batch was taken, and `left` behind it.
    ///   - size: bytes of the value of one, about: where that misjudges the queue, the client looks by itself, later.
    mutating func isDue(held: Int, left: Int, size: Int) -> Bool {
        // Three quarters, for it may have held more when nobody looked.
        if held >= messagesMaximum - messagesMaximum / 4 || held * size >= bytesMaximum / 4 * 3 { isFull = true }
        guard isFull, left <= messagesMaximum / 2, left * size <= bytesMaximum / 2 else { return false }
        isFull = false
        return true
    }

    /// To be called behind each batch taken from `queue`; `partitions` lists those that are read, at their ends.
    mutating func took(
        _ batch: borrowing MessageBatch, from queue: OpaquePointer, _ handle: KafkaHandle,
        _ partitions: () -> PartitionList
    ) {
        guard isNeeded, let size = batch.meanSize else { return }
        let left = unsafe rd_kafka_queue_length(queue)
        guard isDue(held: left + batch.count, left: left, size: size) else { return }
        let asked = partitions()
        // Without time to answer it only asks; where a leader is not known, for that.
        if asked.count > 0 { unsafe rd_kafka_offsets_for_times(handle.pointer, asked.pointer, 0) }
    }
}
