internal import CLibrdkafka
internal import SluiceLog

/// Has a client fetch again as soon as half of what it may prefetch is used.
///
/// A client stops fetching where its queue holds `queued.max.messages.kbytes` or `queued.min.messages`, and what is
/// taken from the queue does not wake the thread that fetches: it looks again when something else comes, or after a
/// second (`rd_kafka_broker_consumer_serve`, librdkafka 2.0; later versions wait `fetch.queue.backoff.ms` instead, which
/// is set). So a worker could take one queueful a second. Any request to a partition's leader wakes its thread, and a
/// question that is not waited for is one.
struct Prefetch {
    private let bytesMaximum, messagesMaximum: Int
    /// It may have stopped since the last time that it was woken.
    private var isFull = false

    init(_ settings: Settings) {
        self.init(
            bytesMaximum: (settings.number("queued.max.messages.kbytes") ?? 65_536) * 1_024,
            messagesMaximum: settings.number("queued.min.messages") ?? 100_000)
    }

    init(bytesMaximum: Int, messagesMaximum: Int) {
        self.bytesMaximum = bytesMaximum
        self.messagesMaximum = max(1, messagesMaximum)
    }

    /// Whether the client is to be woken now.
    ///
    /// - Parameters:
    ///   - left: messages that the queue holds.
    ///   - size: bytes of one, about: where that misjudges the queue, the client looks by itself, later.
    mutating func isDue(left: Int, size: Int) -> Bool {
        // Three quarters, for it may have held more when nobody looked.
        if left >= messagesMaximum / 4 * 3 || left * size >= bytesMaximum / 4 * 3 {
            isFull = true
        } else if isFull && left <= messagesMaximum / 2 && left * size <= bytesMaximum / 2 {
            isFull = false
            return true
        }
        return false
    }

    /// To be called behind each batch taken from `queue`; `partitions` lists those that are read.
    mutating func took(
        _ batch: borrowing MessageBatch, from queue: OpaquePointer, _ handle: KafkaHandle,
        _ partitions: () -> PartitionList
    ) {
        guard batch.count > 0 else { return }
        let left = unsafe rd_kafka_queue_length(queue)
        guard isFull || left > 0, isDue(left: left, size: batch.bytes / batch.count) else { return }
        let asked = partitions()
        // Without time to answer it only asks. Where a leader is not known, fetching waits for that anyway.
        if asked.count > 0 { unsafe rd_kafka_offsets_for_times(handle.pointer, asked.pointer, 0) }
    }
}
