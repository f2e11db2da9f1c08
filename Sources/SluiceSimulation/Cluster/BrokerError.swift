/// What a broker answers instead of doing what it was asked, by Kafka's names.
package enum BrokerError: String, Error, Sendable {
    case invalidProducerEpoch = "INVALID_PRODUCER_EPOCH"
    case producerFenced = "PRODUCER_FENCED"
    case invalidProducerMapping = "INVALID_PRODUCER_ID_MAPPING"
    case invalidTransactionState = "INVALID_TXN_STATE"
    case concurrentTransactions = "CONCURRENT_TRANSACTIONS"
    case outOfOrderSequence = "OUT_OF_ORDER_SEQUENCE_NUMBER"
    case unknownMember = "UNKNOWN_MEMBER_ID"
    case illegalGeneration = "ILLEGAL_GENERATION"
    case fencedInstance = "FENCED_INSTANCE_ID"
    case rebalanceInProgress = "REBALANCE_IN_PROGRESS"
    case notCoordinator = "NOT_COORDINATOR"
    case unstableOffsets = "UNSTABLE_OFFSET_COMMIT"
    case unknownPartition = "UNKNOWN_TOPIC_OR_PARTITION"
    case offsetOutOfRange = "OFFSET_OUT_OF_RANGE"
    case timedOut = "REQUEST_TIMED_OUT"
    case messageTooLarge = "MSG_SIZE_TOO_LARGE"

    /// The process that asked is of no use any more: another one has taken its name.
    package var isFencing: Bool {
        switch self {
        case .invalidProducerEpoch, .producerFenced, .invalidProducerMapping, .invalidTransactionState,
            .fencedInstance:
            true
        default: false
        }
    }

    /// The same request may succeed later.
    package var isRetriable: Bool {
        switch self {
        case .concurrentTransactions, .notCoordinator, .unstableOffsets, .timedOut: true
        default: false
        }
    }
}

/// The process dies here. Whatever it calls afterwards throws this again.
package struct Crash: Error {
    package init() {}
}
