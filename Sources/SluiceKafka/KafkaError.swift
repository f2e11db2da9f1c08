internal import CLibrdkafka
package import SluiceCore

/// An error of librdkafka as it classifies it itself: the cause inside a `SluiceError`.
package struct KafkaError: Error, Sendable, Equatable {
    /// librdkafka's name, such as `COORDINATOR_NOT_AVAILABLE`; its local errors begin with an underscore.
    package let name: String
    package let message: String
    /// The same call may succeed later.
    package let isRetriable: Bool
    /// The handle is unusable from now on.
    package let isFatal: Bool
    let code: rd_kafka_resp_err_t

    init(_ code: rd_kafka_resp_err_t, _ message: String? = nil) {
        self.code = code
        name = unsafe String(cString: rd_kafka_err2name(code))
        self.message = unsafe message ?? String(cString: rd_kafka_err2str(code))
        isRetriable = Self.passing.contains(code.rawValue)
        isFatal = Self.final.contains(code.rawValue)
    }

    /// Takes ownership of `error`.
    init(consuming error: OpaquePointer) {
        code = unsafe rd_kafka_error_code(error)
        name = unsafe String(cString: rd_kafka_error_name(error))
        message = unsafe String(cString: rd_kafka_error_string(error))
        isRetriable = unsafe rd_kafka_error_is_retriable(error) != 0 || Self.passing.contains(code.rawValue)
        isFatal = unsafe rd_kafka_error_is_fatal(error) != 0 || Self.final.contains(code.rawValue)
        unsafe rd_kafka_error_destroy(error)
    }

    /// `doing` says what was tried and on which thing.
    func during(_ doing: String, code: SluiceError.Code? = nil, remedy: String? = nil) -> SluiceError {
        SluiceError(
            code ?? (Self.topical.contains(self.code.rawValue) ? .topic : .broker), doing,
            remedy: remedy ?? self.remedy,
            retry: isFatal ? .fatal : isRetriable ? .later : .never, cause: self)
    }
}

extension KafkaError {
    /// What the cluster's operator must allow, or the service's must change; nil for other errors.
    var remedy: String? {
        switch code {
        case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
            "allow the service's principal Read, Write and Describe on its topics"
        case RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED: "allow the service's principal Read on its group"
        case RD_KAFKA_RESP_ERR_TRANSACTIONAL_ID_AUTHORIZATION_FAILED:
            "allow the service's principal Write and Describe on transactional ids that begin with its application"
        case RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED:
            "allow the service's principal IdempotentWrite on the cluster"
        case RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID: Self.twin
        case RD_KAFKA_RESP_ERR__FATAL where message.contains("group.instance.id"): Self.twin
        default: nil
        }
    }

    /// Workers are told apart by both.
    private static let twin =
        "another instance has this machine's name and the port of its admin.listen: give each its own"
}

extension KafkaError: CustomStringConvertible {
    package var description: String { "\(message) [\(name)]" }
}

extension KafkaError {
    /// Codes that come without librdkafka's own classification and pass by themselves. A broker that has just begun may
    /// not know all partitions yet: what it says of them, and what librdkafka concludes, is no last word.
    private static let passing: Set<Int32> = Set(
        [
            RD_KAFKA_RESP_ERR__TRANSPORT, RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN, RD_KAFKA_RESP_ERR__RESOLVE,
            RD_KAFKA_RESP_ERR__TIMED_OUT, RD_KAFKA_RESP_ERR__TIMED_OUT_QUEUE, RD_KAFKA_RESP_ERR__MSG_TIMED_OUT,
            RD_KAFKA_RESP_ERR__WAIT_COORD, RD_KAFKA_RESP_ERR__WAIT_CACHE, RD_KAFKA_RESP_ERR__IN_PROGRESS,
            RD_KAFKA_RESP_ERR__PREV_IN_PROGRESS, RD_KAFKA_RESP_ERR__QUEUE_FULL, RD_KAFKA_RESP_ERR__RETRY,
            RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT,
            RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS, RD_KAFKA_RESP_ERR_COORDINATOR_NOT_AVAILABLE,
            RD_KAFKA_RESP_ERR_NOT_COORDINATOR, RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE,
            RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION, RD_KAFKA_RESP_ERR_BROKER_NOT_AVAILABLE,
            RD_KAFKA_RESP_ERR_REPLICA_NOT_AVAILABLE, RD_KAFKA_RESP_ERR_NETWORK_EXCEPTION,
            RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS, RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS_AFTER_APPEND,
            RD_KAFKA_RESP_ERR_REBALANCE_IN_PROGRESS, RD_KAFKA_RESP_ERR_KAFKA_STORAGE_ERROR,
            RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART, RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION,
            RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC, RD_KAFKA_RESP_ERR_NOT_CONTROLLER,
            RD_KAFKA_RESP_ERR_FENCED_LEADER_EPOCH, RD_KAFKA_RESP_ERR_UNKNOWN_LEADER_EPOCH,
            RD_KAFKA_RESP_ERR_OFFSET_NOT_AVAILABLE, RD_KAFKA_RESP_ERR_UNSTABLE_OFFSET_COMMIT,
        ].map(\.rawValue))
    /// Codes after which the membership or the handle is gone.
    private static let final: Set<Int32> = Set(
        [
            RD_KAFKA_RESP_ERR__FATAL, RD_KAFKA_RESP_ERR__FENCED, RD_KAFKA_RESP_ERR__ASSIGNMENT_LOST,
            RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID, RD_KAFKA_RESP_ERR_UNKNOWN_MEMBER_ID,
            RD_KAFKA_RESP_ERR_ILLEGAL_GENERATION, RD_KAFKA_RESP_ERR_INVALID_PRODUCER_EPOCH,
            RD_KAFKA_RESP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER,
        ].map(\.rawValue))
    private static let topical: Set<Int32> = Set(
        [
            RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART, RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC,
            RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION,
            RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED, RD_KAFKA_RESP_ERR_TOPIC_EXCEPTION,
            RD_KAFKA_RESP_ERR_INVALID_PARTITIONS, RD_KAFKA_RESP_ERR_INVALID_REPLICATION_FACTOR,
            RD_KAFKA_RESP_ERR_INVALID_CONFIG, RD_KAFKA_RESP_ERR_POLICY_VIOLATION,
            RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS,
        ].map(\.rawValue))
}

extension SluiceError.Code {
    package static let topicExists = SluiceError.Code("topic-exists")
    package static let offsetOutOfRange = SluiceError.Code("offset-out-of-range")
    package static let portTaken = SluiceError.Code("port-taken")
}
