internal import CLibrdkafka
internal import SluiceCore
internal import SluiceLog

/// The messages of one poll, owned until `release`, and the memory their descriptions are written to, reused for ever.
@safe
struct MessageBatch: ~Copyable {
    private let messages: UnsafeMutablePointer<UnsafeMutablePointer<rd_kafka_message_t>?>
    private let records: UnsafeMutablePointer<LogRecord>
    let capacity: Int
    private(set) var count = 0
    /// Records written by `keep`.
    private(set) var kept = 0

    init(capacity: Int) {
        precondition(capacity > 0)
        self.capacity = capacity
        unsafe messages = .allocate(capacity: capacity)
        unsafe records = .allocate(capacity: capacity)
    }

    deinit {
        unsafe messages.deallocate()
        unsafe records.deallocate()
    }

    /// Waits for one message, then takes what is there without waiting: asking for a full batch would wait for a full
    /// batch.
    mutating func receive(_ queue: OpaquePointer, timeoutMilliseconds: Int, limit: Int) {
        precondition(count == 0)
        let limit = min(limit, capacity)
        kept = 0
        count = unsafe max(0, rd_kafka_consume_batch_queue(queue, Int32(clamping: timeoutMilliseconds), messages, 1))
        guard count > 0, limit > 1 else { return }
        // The library may take back a first message that a later entry of the queue outdates only within one call; the
        // receiver's own gate catches it otherwise.
        count += unsafe max(0, rd_kafka_consume_batch_queue(queue, 0, messages + 1, limit - 1))
    }

    /// Bytes of a record's value, in the mean; nil without a record: errors and ends of partitions are messages, too.
    var meanSize: Int? {
        var (bytes, records) = (0, 0)
        for index in 0..<count where unsafe self[index].pointee.err == RD_KAFKA_RESP_ERR_NO_ERROR {
            unsafe bytes += self[index].pointee.len
            records += 1
        }
        return records > 0 ? bytes / records : nil
    }

    /// Gives the messages back to librdkafka: their records die.
    mutating func release() {
        for index in 0..<count { unsafe rd_kafka_message_destroy(messages[index]) }
        count = 0
        kept = 0
    }

    @inline(__always)
    subscript(index: Int) -> UnsafeMutablePointer<rd_kafka_message_t> { unsafe messages[index].unsafelyUnwrapped }

    /// Describes a message as the next record.
    @inline(__always)
    mutating func keep(_ message: UnsafeMutablePointer<rd_kafka_message_t>) {
        unsafe (records + kept).initialize(to: Self.record(message))
        kept += 1
    }

    var keptRecords: UnsafeBufferPointer<LogRecord> { unsafe UnsafeBufferPointer(start: records, count: kept) }

    @inline(__always)
    static func record(_ message: UnsafeMutablePointer<rd_kafka_message_t>) -> LogRecord {
        var kind = RD_KAFKA_TIMESTAMP_NOT_AVAILABLE
        let timestamp = unsafe rd_kafka_message_timestamp(message, &kind)
        let key = unsafe UnsafeRawBufferPointer(start: message.pointee.key, count: message.pointee.key_len)
        let value = unsafe UnsafeRawBufferPointer(start: message.pointee.payload, count: message.pointee.len)
        let none = unsafe UnsafeRawBufferPointer(start: nil, count: 0)
        return unsafe LogRecord(
            partition: message.pointee.partition, offset: message.pointee.offset,
            timestamp: timestamp < 0 ? .absent : timestamp, key: key, value: value,
            boundary: hasNoHeaders(key: key, value: value) ? none : boundary(message))
    }

    private static func boundary(_ message: UnsafeMutablePointer<rd_kafka_message_t>) -> UnsafeRawBufferPointer {
        var headers: OpaquePointer?
        var value: UnsafeRawPointer?
        var size = 0
        guard unsafe rd_kafka_message_headers(message, &headers) == RD_KAFKA_RESP_ERR_NO_ERROR,
            unsafe rd_kafka_header_get_last(headers, boundaryHeader, &value, &size) == RD_KAFKA_RESP_ERR_NO_ERROR
        else { return unsafe UnsafeRawBufferPointer(start: nil, count: 0) }
        return unsafe UnsafeRawBufferPointer(start: value, count: size)
    }

    /// Whether a record certainly has no headers. To ask librdkafka costs two allocations and a tenth of a microsecond,
    /// also where there are none: it reads the list anew, into a buffer of its own.
    ///
    /// Key and value are lent where they lie in what the broker sent. In the protocol's record format (KIP-98) that is
    /// `key, length of the value, value, number of headers`, numbers as zigzag varints. Only where that length stands
    /// between the two, and nothing else, is the number behind the value looked at; all others are asked for: records
    /// of older formats, without key or value, and those of a client that would lend copies.
    @inline(__always)
    static func hasNoHeaders(key: UnsafeRawBufferPointer, value: UnsafeRawBufferPointer) -> Bool {
        guard let start = key.baseAddress, let end = value.baseAddress else { return false }
        var place = unsafe start + key.count
        guard unsafe (1...5).contains(end - place) else { return false }
        var rest = UInt64(value.count) << 1
        repeat {
            let byte = UInt8(truncatingIfNeeded: rest & 0x7F) | (rest > 0x7F ? 0x80 : 0)
            guard unsafe place < end && place.load(as: UInt8.self) == byte else { return false }
            rest >>= 7
            unsafe place += 1
        } while rest > 0
        return unsafe place == end && (end + value.count).load(as: UInt8.self) == 0
    }
}
