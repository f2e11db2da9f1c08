internal import CLibrdkafka
internal import Logging
internal import SluiceCore
internal import SluiceLog
internal import Synchronization

/// A transactional handle and the calls on it, each of which blocks for a bounded time.
///
/// `@unchecked Sendable`: made by one thread, then used by the commit thread alone; `isClosing` is atomic.
@safe
final class TransactionClient: @unchecked Sendable {
    /// One step of a call that librdkafka lets resume: how long a request to close may go unheard.
    private static let stepMilliseconds: Int32 = 500
    /// Between two steps, some of which end at once.
    private static let pauseMilliseconds: Int32 = 50
    /// How long a call tries before it says `.again`, so that the worker hears of an absence.
    private static let callLimit = Duration.seconds(5)
    /// A commit without an outcome after so many transaction time-outs never gets one: by then the coordinator has
    /// decided long ago.
    private static let commitTimeouts = 6

    /// Set once, by `close` of the producer.
    let isClosing = Atomic<Bool>(false)
    let messageBytesMax: Int
    private let sender: OutputSender
    private let input: String
    /// `transaction.timeout.ms`.
    private let timeout: Duration
    /// Longer than any call takes that ends by itself: one of them tries for a time-out, and its last request waits for
    /// another.
    var answerLimit: Duration { max(timeout, Self.callLimit) * 3 }
    private var commitBegan: ContinuousClock.Instant?

    private var handle: OpaquePointer? { unsafe sender.handle.pointer }
    private var context: ClientContext { sender.handle.context }
    var changelogEnds: [Int32: Offset] { context.followedEnds }

    init(
        _ configuration: KafkaConfiguration, id: String, input: String, topics: [OutputTopic: String],
        isAlone: Bool, health: KafkaHealth, logger: Logger
    ) throws {
        self.input = input
        timeout = .milliseconds(try configuration.settings(.transactions).number("transaction.timeout.ms") ?? 10_000)
        sender = try OutputSender(
            .transactions, configuration, owned: ["transactional.id": id], topics: topics, isAlone: isAlone,
            health: health, logger: logger)
        messageBytesMax = sender.messageBytesMax
        unsafe sender.handle.context.followed = unsafe sender.handle(of: .slots)
    }

    /// Serves errors that came while no call was under way.
    func serve() { unsafe rd_kafka_poll(handle, 0) }

    func close() { sender.close() }

    func perform(_ call: TransactionCall) -> TransactionAnswer {
        context.isBusy.store(true, ordering: .relaxed)
        defer { context.isBusy.store(false, ordering: .relaxed) }
        do throws(TransactionFailure) {
            switch call {
            case .initialise:
                try unsafe resume("initialising transactions") { unsafe rd_kafka_init_transactions($0, $1) }
            case .produce(let transaction): try produce(transaction)
            case .sendPositions(let transaction, let member): try send(transaction.positions, of: member)
            case .commit: try commit()
            case .abort: try abort()
            }
            return .done
        } catch {
            return .failed(error)
        }
    }

    /// Steps of a call until it ends, for as long as it may be resumed.
    private func resume(
        _ doing: String, _ step: (OpaquePointer?, Int32) -> OpaquePointer?
    ) throws(TransactionFailure) {
        let end = ContinuousClock.now + Self.callLimit
        while let error = unsafe step(handle, Self.stepMilliseconds) {
            let failure = unsafe TransactionFailure(consuming: error, doing)
            guard failure.remedy == .again, .now < end, !isClosing.load(ordering: .acquiring) else { throw failure }
            unsafe rd_kafka_poll(handle, Self.pauseMilliseconds)
        }
    }

    // MARK: - The calls

    private func produce(_ transaction: Transaction) throws(TransactionFailure) {
        context.followedEnds = [:]
        context.undelivered = nil
        commitBegan = nil
        if let error = unsafe rd_kafka_begin_transaction(handle) {
            throw unsafe TransactionFailure(consuming: error, "beginning a transaction")
        }
        let end = ContinuousClock.now + timeout
        transaction.outputs.rewind()
        while true {
            let isHandedOver: Bool
            do {
                isHandedOver = try sender.produce(&transaction.outputs)
            } catch {
                let refused = error as? SluiceError ?? SluiceError(.delivery, "an output was refused", cause: error)
                let failure = refused.refusal == nil ? backgroundFailure() : nil
                throw failure ?? TransactionFailure(.abort, refused)
            }
            if isHandedOver && sender.pending == 0 { break }
            let reported = context.reported
            unsafe rd_kafka_poll(handle, Self.pauseMilliseconds)
            if context.undelivered != nil { break }
            // Asking costs a round through librdkafka's own thread.
            if context.reported == reported, let failure = backgroundFailure() {
                // Its cause may be told a moment later.
                unsafe rd_kafka_poll(handle, Self.pauseMilliseconds)
                if context.undelivered?.refusal != nil { break }
                throw failure
            }
            guard .now < end, !isClosing.load(ordering: .acquiring) else {
                let left = transaction.outputs.waiting + sender.pending
                throw TransactionFailure(
                    .abort,
                    SluiceError(
                        .delivery, "\(left) outputs of a transaction were not delivered in time", retry: .later))
            }
        }
        // The reports of a transaction that has failed as a whole say only that they were purged, but for a refusal.
        if let undelivered = context.undelivered {
            let failure = undelivered.refusal == nil ? backgroundFailure() : nil
            throw failure ?? TransactionFailure(.abort, undelivered)
        }
    }

    /// Why the open transaction cannot be committed any more, found out by librdkafka while it registered partitions
    /// and produced; nil if it can.
    ///
    /// A call that does not fit the state is answered with the error that led to the state (`rdkafka_txnmgr.c`,
    /// `rd_kafka_txn_require_states0`), and beginning once more never fits an open transaction.
    private func backgroundFailure() -> TransactionFailure? {
        guard let error = unsafe rd_kafka_begin_transaction(handle) else { return nil }
        let isOpen = unsafe rd_kafka_error_code(error) == RD_KAFKA_RESP_ERR__STATE
        let failure = unsafe TransactionFailure(consuming: error, "producing in a transaction")
        return isOpen ? nil : failure
    }

    private func send(_ positions: [CommittedPosition], of member: GroupMembership) throws(TransactionFailure) {
        let list = PartitionList(capacity: positions.count)
        for position in positions {
            list.add(input, position.partition, offset: position.offset, metadata: position.metadata)
        }
        let metadata = unsafe rd_kafka_consumer_group_metadata_new_with_genid(
            member.group, member.generation, member.member, member.instance)
        defer { unsafe rd_kafka_consumer_group_metadata_destroy(metadata) }
        // Not resumable, and a group coordinator that does not answer in time makes it abortable: it gets all the time
        // there is, up to which librdkafka retries by itself.
        let milliseconds = Int32(clamping: Int(timeout / .milliseconds(1)))
        if let error = unsafe rd_kafka_send_offsets_to_transaction(handle, list.pointer, metadata, milliseconds) {
            throw unsafe TransactionFailure(consuming: error, "adding positions of \(input) to a transaction")
        }
    }

    private func commit() throws(TransactionFailure) {
        let doing = "committing a transaction"
        let began = commitBegan ?? .now
        commitBegan = began
        do throws(TransactionFailure) {
            try unsafe resume(doing) { unsafe rd_kafka_commit_transaction($0, $1) }
        } catch {
            throw error.ofCommit(isOverdue: .now - began > timeout * Self.commitTimeouts)
        }
    }

    /// - Throws: `.anew` after an abort that succeeded as well, if it gave up messages: librdkafka cannot tell which of
    ///   those under way reached the log, and what it does about their sequence numbers is not relied on.
    private func abort() throws(TransactionFailure) {
        try unsafe resume("aborting a transaction") { unsafe rd_kafka_abort_transaction($0, $1) }
        if let undelivered = context.undelivered { throw TransactionFailure(.anew, undelivered) }
    }
}
