internal import CLibrdkafka
internal import Logging
internal import SluiceCore
internal import SluiceLog
internal import Synchronization

/// What librdkafka's callbacks reach through a handle's opaque pointer.
///
/// `@unchecked Sendable`: log lines, broker states and requests come from any of librdkafka's threads and touch only
/// `name`, `logger`, `health` and what is atomic or under a mutex; everything else is touched by the handle's own
/// thread alone, because librdkafka calls those callbacks from inside a poll.
@safe
final class ClientContext: @unchecked Sendable {
    let name: String
    let logger: Logger
    let health: KafkaHealth

    /// Called with assignments and revocations; set by the consumer.
    var rebalance: ((rd_kafka_resp_err_t, UnsafeMutablePointer<rd_kafka_topic_partition_list_t>) -> Void)?
    /// Messages handed to librdkafka, and those it has reported on.
    var produced = 0
    var reported = 0
    /// Why an output was not delivered: the first reason, or a refusal for good, which what else failed follows from.
    var undelivered: SluiceError?
    /// Batches hold one record each, uncompressed.
    var isAlone = false
    /// What the topics of outputs are for, by their names.
    var outputs: [String: OutputTopic] = [:]
    var fatal: SluiceError?
    /// The topic whose delivered offsets are kept, and of each of its partitions the offset behind the last delivered
    /// record; −1 where a delivery told none.
    var followed: OpaquePointer?
    var followedEnds: [Int32: Offset] = [:]

    /// Whether a connection is needed now: an idle producer or admin client may have been disconnected for its
    /// idleness.
    let isBusy: Atomic<Bool>
    private struct Connections {
        /// Brokers that are connected, as host and port.
        var up: Set<String> = []
        var reason = "no broker reached"
    }
    private let connections = Mutex(Connections())

    /// Kafka's numbers of the requests that begin and end a rebalance for a member.
    static let joinGroup: Int16 = 11
    static let syncGroup: Int16 = 14
    /// From the request to join until the assignment has come: the generation is about to change.
    let isJoining = Atomic<Bool>(false)

    private static let count = Atomic<Int>(0)

    init(_ role: HandleRole, logger: Logger, health: KafkaHealth) {
        let ordinal = Self.count.wrappingAdd(1, ordering: .relaxed).newValue
        name = "\(role)-\(ordinal)"
        var logger = logger
        logger[metadataKey: "client"] = "\(name)"
        self.logger = logger
        self.health = health
        isBusy = Atomic(role == .consumer || role == .reader)
    }

    static func of(_ opaque: UnsafeMutableRawPointer?) -> ClientContext? {
        unsafe opaque.map { unsafe Unmanaged<ClientContext>.fromOpaque($0).takeUnretainedValue() }
    }

    /// A line of librdkafka's log. What only repeats that a broker is away goes to `debug`: `KafkaHealth` says it once.
    func log(level: Int32, facility: String, text: String) {
        // A producer whose name is being fenced, or whose coordinator moves, is told to try again without end.
        let repeated =
            ["FAIL", "REQTMOUT", "TERMINATE", "DESTROY"].contains(facility)
            || facility == "GETPID" && text.hasSuffix("retrying")
        let level: Logger.Level =
            switch level {
            case _ where repeated: .debug
            case ...2: .critical
            case 3: .error
            case 4: .warning
            case 5, 6: .info
            default: .debug
            }
        logger.log(level: level, "\(text)", metadata: ["facility": "\(facility)"])
    }

    /// A problem of the whole handle, told from inside a poll.
    func failed(_ handle: OpaquePointer?, _ code: rd_kafka_resp_err_t, _ text: String) {
        switch code {
        case RD_KAFKA_RESP_ERR__FATAL:
            let (code, reason) = unsafe withErrorText { unsafe rd_kafka_fatal_error(handle, $0, $1) }
            let cause = KafkaError(code, reason)
            fatal = SluiceError(
                .broker, "\(name) failed for good", remedy: cause.remedy, retry: .fatal, cause: cause)
        case RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN:
            break  // Known from the connections.
        case RD_KAFKA_RESP_ERR__TRANSPORT, RD_KAFKA_RESP_ERR__RESOLVE, RD_KAFKA_RESP_ERR__TIMED_OUT,
            RD_KAFKA_RESP_ERR__SSL, RD_KAFKA_RESP_ERR__AUTHENTICATION:
            connections.withLock { $0.reason = text }
        default:
            logger.warning("\(text)", metadata: ["error": "\(unsafe String(cString: rd_kafka_err2name(code)))"])
        }
    }

    /// A connection has changed its state; called by librdkafka's threads, at every attempt to connect as well.
    func brokerChanged(_ broker: String, state: String) {
        switch state {
        case "UP", "UPDATE":
            connections.withLock { _ = $0.up.insert(broker) }
            health.brokerUp(name)
        case "DOWN":
            let reason: String? = connections.withLock {
                $0.up.remove(broker)
                return $0.up.isEmpty ? $0.reason : nil
            }
            if let reason, isBusy.load(ordering: .relaxed) { health.brokersDown(name, reason: reason) }
        default:
            break
        }
    }

    func setJoining(_ joining: Bool) { isJoining.store(joining, ordering: .relaxed) }

    /// A delivery report.
    @inline(__always)
    func delivered(_ message: UnsafePointer<rd_kafka_message_t>) {
        reported += 1
        unsafe SendWindows.report(message.pointee._private)
        if unsafe message.pointee.rkt == followed, unsafe message.pointee.err == RD_KAFKA_RESP_ERR_NO_ERROR {
            unsafe follow(message)
        }
        if unsafe message.pointee.err != RD_KAFKA_RESP_ERR_NO_ERROR { unsafe failed(message) }
    }

    /// A batch that the broker had already taken is delivered without an offset; the end stays unknown from then on.
    private func follow(_ message: UnsafePointer<rd_kafka_message_t>) {
        let partition = unsafe message.pointee.partition
        let offset = unsafe message.pointee.offset
        let end = followedEnds[partition] ?? 0
        followedEnds[partition] = offset < 0 || end < 0 ? -1 : max(end, offset + 1)
    }
}
