package import SluiceCore
import SluiceLog
import Synchronization

/// What brokers have refused for its size since the service began: no client knows a topic's `max.message.bytes`, and
/// somebody may change it at any time. Shared by the workers of a service, which outlives them.
///
/// A refusal is learned from, and what was not committed is folded and sent anew: without the record, because another
/// outcome is encoded where the known sizes are reached. First records are sent one by one, to learn which of a batch
/// is meant; then every refusal lowers a size. What is committed in the end depends on the topics' limits alone, not
/// on the way there.
package final class OutputLimits: Sendable {
    package struct Sizes: Sendable, Equatable {
        /// Largest record that was not refused, by `RecordSize`.
        package var predictions = Int.max
        package var rejects = Int.max
        /// Producers send each record in a batch of its own.
        package var isAlone = false

        package init() {}
    }

    private let known = Mutex(Sizes())

    package init() {}

    package var sizes: Sizes { known.withLock { $0 } }

    /// Learns from a refusal.
    ///
    /// - Returns: the error as it is to be treated: `retry: .fatal` where clients made anew will fare better, `.never`
    ///   where nothing can be left out. Any other error as it was.
    package func learned(from error: SluiceError) -> SluiceError {
        guard let refusal = error.refusal else { return error }
        let isLearned = known.withLock { sizes in
            guard refusal.isTooLarge else { return false }
            guard refusal.isAlone else {
                sizes.isAlone = true
                return true
            }
            switch refusal.topic {
            case .predictions: sizes.predictions = min(sizes.predictions, refusal.bytes - 1)
            case .rejects where !refusal.isBare: sizes.rejects = min(sizes.rejects, refusal.bytes - 1)
            default: return false
            }
            return true
        }
        return SluiceError(
            error.code, error.message, remedy: error.remedy, retry: isLearned ? .fatal : .never, cause: error.cause)
    }
}
