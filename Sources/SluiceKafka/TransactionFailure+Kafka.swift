internal import CLibrdkafka
internal import SluiceCore
internal import SluiceLog

/// What librdkafka's errors mean for a transaction; read in librdkafka 2.0.2, `rdkafka_txnmgr.c` and INTRODUCTION.md,
/// "Error handling" of the transactional producer.
///
/// - Fatal: fenced, or a state the coordinator does not know. It is also set when a commit succeeded that had already
///   failed here.
/// - Abortable: the transaction failed, the producer did not. `TxnOffsetCommit` answers so for a member of another
///   generation (`ILLEGAL_GENERATION`, `UNKNOWN_MEMBER_ID`, `FENCED_INSTANCE_ID`), and librdkafka for messages it could
///   not deliver.
/// - Retriable: librdkafka goes on in the background (`_TIMED_OUT`: "retry call to resume"), or the coordinator was not
///   there. `CONCURRENT_TRANSACTIONS`, the end of the last transaction being still written, it retries by itself.
/// - None of these: a call that does not fit the state. Nobody can say what has become of the transaction.
extension TransactionFailure {
    /// Takes ownership of `error`.
    init(consuming error: OpaquePointer, _ doing: String) {
        let isFatal = unsafe rd_kafka_error_is_fatal(error) != 0
        let isAbortable = unsafe rd_kafka_error_txn_requires_abort(error) != 0
        let isRetriable = unsafe rd_kafka_error_is_retriable(error) != 0
        let cause = unsafe KafkaError(consuming: error)
        let remedy: Remedy =
            if isFatal || Self.final.contains(cause.code.rawValue) {
                .anew
            } else if isAbortable {
                .abort
            } else {
                isRetriable ? .again : .anew
            }
        self.init(remedy, Self.error(remedy, cause, doing))
    }

    private static func error(_ remedy: Remedy, _ cause: KafkaError, _ doing: String) -> SluiceError {
        SluiceError(
            .broker, doing, remedy: cause.remedy,
            retry: hopeless.contains(cause.code.rawValue) ? .never : remedy == .anew ? .fatal : .later, cause: cause)
    }

    /// The same failure of a commit, whose outcome decides more.
    ///
    /// An abortable error is definite if the coordinator refused (codes above 0) or was not asked (`_INCONSISTENT`:
    /// messages not delivered). An answer that could not be read is neither: the commit may have been done.
    func ofCommit(isOverdue: Bool) -> TransactionFailure {
        guard let cause = error.cause as? KafkaError else { return self }
        let isDefinite = cause.code.rawValue > 0 || cause.code == RD_KAFKA_RESP_ERR__INCONSISTENT
        switch remedy {
        case .again where isOverdue, .abort where !isDefinite:
            return TransactionFailure(.anew, Self.error(.anew, cause, error.message))
        default: return self
        }
    }

    /// Told as abortable or retriable by some of librdkafka's paths; a producer that is fenced is of no more use, and a
    /// conflict means that a call was left unfinished.
    private static let final: Set<Int32> = Set(
        [
            RD_KAFKA_RESP_ERR__FENCED, RD_KAFKA_RESP_ERR_PRODUCER_FENCED, RD_KAFKA_RESP_ERR_INVALID_PRODUCER_EPOCH,
            RD_KAFKA_RESP_ERR__CONFLICT, RD_KAFKA_RESP_ERR__PREV_IN_PROGRESS,
        ].map(\.rawValue))

    /// What a new producer meets as well.
    private static let hopeless: Set<Int32> = Set(
        [
            RD_KAFKA_RESP_ERR_TRANSACTIONAL_ID_AUTHORIZATION_FAILED, RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED,
            RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED, RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED,
            RD_KAFKA_RESP_ERR_INVALID_TRANSACTION_TIMEOUT, RD_KAFKA_RESP_ERR__UNSUPPORTED_FEATURE,
        ].map(\.rawValue))
}
