internal import CLibrdkafka
internal import Logging
internal import SluiceCore
internal import SluiceLog
internal import Synchronization

/// Hands encoded outputs to librdkafka's queue: what both kinds of producer have in common.
///
/// Payloads are copied into that queue, which is bounded (`queue.buffering.max.*`): while the output is blocked,
/// `produce` takes no more and nothing is given up. To lend them instead would spare less than a hundredth of the
/// pipeline's time (all copies of a worker together are a fiftieth), and tie the arenas to messages that a producer
/// which is being closed still holds. Confined to one thread.
@safe
final class OutputSender {
    let handle: KafkaHandle
    let messageBytesMax: Int
    /// `queue.buffering.max.messages`, which bounds what waits here and before it.
    let messagesMaximum: Int
    /// By `OutputTopic.rawValue`; nil for a topic that was not named.
    private var topics: [OpaquePointer?]
    private let names: [OutputTopic: String]
    private let windows: SendWindows
    /// As librdkafka takes them, of one partition.
    private let messages: UnsafeMutablePointer<rd_kafka_message_t>

    /// - Parameter isAlone: every record goes in a batch of its own, uncompressed, so that a refusal says of which one.
    init(
        _ role: HandleRole, _ configuration: KafkaConfiguration, owned: [String: String] = [:],
        topics names: [OutputTopic: String], isAlone: Bool, health: KafkaHealth, logger: Logger
    ) throws {
        let settings = try configuration.settings(role)
        messageBytesMax = settings.number("message.max.bytes") ?? 1_000_000
        messagesMaximum = settings.number("queue.buffering.max.messages") ?? 100_000
        // The queue must hold the largest message, or that one would wait for ever.
        let queueKilobytes = settings.number("queue.buffering.max.kbytes") ?? 0
        if queueKilobytes * 1_024 < messageBytesMax {
            throw SluiceError(
                .invalidConfiguration,
                "kafka: queue.buffering.max.kbytes holds no message of message.max.bytes (\(messageBytesMax))",
                remedy: "raise queue.buffering.max.kbytes")
        }
        self.names = names
        let limits = SendWindow.Limits(
            messages: isAlone ? 1 : settings.number("batch.num.messages") ?? 10_000,
            bytes: settings.number("batch.size") ?? 1_000_000)
        windows = SendWindows(topics: OutputTopic.allCases.count, limits)
        unsafe messages = .allocate(capacity: limits.messages)
        let all = owned.merging(isAlone ? Self.alone : [:]) { $1 }
        handle = try KafkaHandle(role, configuration, owned: all, health: health, logger: logger)
        handle.context.isAlone = isAlone
        handle.context.outputs = Dictionary(names.map { ($1, $0) }, uniquingKeysWith: { first, _ in first })
        unsafe topics = Array(repeating: nil, count: OutputTopic.allCases.count)
        for (topic, name) in names {
            guard let made = unsafe rd_kafka_topic_new(handle.pointer, name, nil) else {
                throw KafkaError(rd_kafka_last_error()).during("opening topic \(name)")
            }
            unsafe topics[Int(topic.rawValue)] = made
        }
    }

    deinit {
        close()
        unsafe messages.deallocate()
    }

    private static let alone = ["batch.num.messages": "1", "compression.codec": "none"]

    /// Messages handed over and not yet reported on.
    var pending: Int { handle.context.produced - handle.context.reported }

    func handle(of topic: OutputTopic) -> OpaquePointer? { unsafe topics[Int(topic.rawValue)] }

    /// Takes what there is room for, of each partition in order; one that has no room keeps back no other.
    ///
    /// - Returns: whether all is taken.
    func produce(_ batch: inout OutputBatch) throws -> Bool {
        try handle.check()
        let before = handle.context.produced
        windows.choose(from: batch)
        defer { if handle.context.produced > before { noteBusy() } }
        for index in 0..<windows.count {
            guard unsafe try hand(over: windows[index], &batch) else { break }
        }
        return batch.isHandedOver
    }

    /// Hands over what is chosen of a partition; false where the queue of all of them is full.
    private func hand(over window: SendWindows.Window, _ batch: inout OutputBatch) throws -> Bool {
        var plain = 0
        for place in 0..<(unsafe window.pointee.chosen.count) {
            let index = unsafe window.pointee.chosen[place]
            let entry = batch.entries[index]
            if entry.headers.isEmpty && entry.timestamp <= 0 {
                unsafe messages[plain] = unsafe message(entry, batch, window)
                plain += 1
                continue
            }
            guard unsafe try send(plain, before: place, window, &batch) else { return false }
            plain = 0
            let code = unsafe sendWithHeaders(entry, batch, try topic(entry), window)
            if code == RD_KAFKA_RESP_ERR__QUEUE_FULL { return false }
            if code != RD_KAFKA_RESP_ERR_NO_ERROR { throw refused(entry, batch, KafkaError(code)) }
            unsafe taken(index, window, &batch)
        }
        return unsafe try send(plain, before: window.pointee.chosen.count, window, &batch)
    }

    private func topic(_ entry: OutputBatch.Entry) throws -> OpaquePointer {
        if let topic = unsafe topics[Int(entry.topic.rawValue)] { return unsafe topic }
        throw SluiceError(.topic, "no topic is configured for \(entry.topic)")
    }

    private func taken(_ index: Int, _ window: SendWindows.Window, _ batch: inout OutputBatch) {
        batch.handOver(index)
        unsafe window.pointee.handedOver(1)
        handle.context.produced += 1
    }

    /// Hands over the first `count` of `messages`, which are those chosen before the place `end` of all chosen.
    private func send(
        _ count: Int, before end: Int, _ window: SendWindows.Window, _ batch: inout OutputBatch
    ) throws -> Bool {
        guard count > 0 else { return true }
        let first = unsafe window.pointee.chosen[end - count]
        let topic = unsafe try topic(batch.entries[first])
        // All are of one partition: told so, librdkafka looks it up, and adds it to a transaction, once.
        unsafe rd_kafka_produce_batch(
            topic, messages[0].partition, RD_KAFKA_MSG_F_COPY, messages, Int32(count))
        var failed: (index: Int, code: rd_kafka_resp_err_t)?
        for place in 0..<count {
            let index = unsafe window.pointee.chosen[end - count + place]
            let code = unsafe messages[place].err
            if code == RD_KAFKA_RESP_ERR_NO_ERROR {
                unsafe taken(index, window, &batch)
            } else if failed == nil {
                failed = (index, code)
            }
        }
        guard let failed else { return true }
        guard failed.code == RD_KAFKA_RESP_ERR__QUEUE_FULL else {
            throw refused(batch.entries[failed.index], batch, KafkaError(failed.code))
        }
        return false
    }

    private func message(
        _ entry: OutputBatch.Entry, _ batch: borrowing OutputBatch, _ window: SendWindows.Window
    ) -> rd_kafka_message_t {
        let key = unsafe Self.bytes(entry.key, batch)
        let value = unsafe Self.bytes(entry.value, batch)
        var message = unsafe rd_kafka_message_t()
        unsafe message.partition = entry.partition
        unsafe message.payload = UnsafeMutableRawPointer(mutating: value.baseAddress)
        unsafe message.len = value.count
        unsafe message.key = UnsafeMutableRawPointer(mutating: key.baseAddress)
        unsafe message.key_len = key.count
        unsafe message._private = SendWindows.opaque(window)
        return unsafe message
    }

    private func refused(
        _ entry: OutputBatch.Entry, _ batch: borrowing OutputBatch, _ cause: KafkaError
    ) -> SluiceError {
        let bytes = (entry.key?.count ?? 0) + (entry.value?.count ?? 0)
        let doing =
            "a message of \(bytes) bytes for \(names[entry.topic] ?? "")/\(entry.partition) cannot be produced"
        guard cause.code == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE else { return cause.during(doing, code: .delivery) }
        return SluiceError(
            .delivery, doing,
            remedy: "raise message.max.bytes in the kafka block, and max.message.bytes of the topic with it",
            cause: OutputRefusal(
                topic: entry.topic, bytes: batch.recordBytes(entry), isTooLarge: true, isAlone: true,
                isBare: bytes == 0, reason: cause))
    }

    /// A nil range is null; an empty one has an address, so that it stays empty.
    @inline(__always)
    static func bytes(_ range: Range<Int>?, _ batch: borrowing OutputBatch) -> UnsafeRawBufferPointer {
        unsafe range.map { unsafe batch.arena.bytes($0) } ?? UnsafeRawBufferPointer(start: nil, count: 0)
    }

    func mark() { windows.mark() }
    var isMarkDelivered: Bool { windows.isMarkReported }

    /// Only while something waits to be delivered does a missing broker matter.
    func noteBusy() { handle.context.isBusy.store(pending > 0, ordering: .relaxed) }

    func close() {
        guard let pointer = unsafe handle.pointer else { return }
        unsafe rd_kafka_purge(pointer, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT)
        unsafe rd_kafka_poll(pointer, 0)
        unsafe topics.forEach { if let topic = unsafe $0 { unsafe rd_kafka_topic_destroy(topic) } }
        unsafe topics = []
        handle.close()
    }
}
