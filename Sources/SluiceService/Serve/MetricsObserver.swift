import CoreMetrics
package import Logging
package import SluiceAdmin
package import SluiceCore
package import SluiceEngine
package import SluiceSchema
import Synchronization

/// Turns what workers report into metrics, log lines and the totals of a summary.
package final class MetricsObserver: EngineObserver {
    /// Totals since the start.
    package struct Totals: Sendable {
        package var report = BatchReport()
        package var resets = 0
        /// Partitions that swapped to another model.
        package var swaps = 0
        /// From arrival to produced, one value a record.
        package var latencies = LatencyHistogram()
        package var blocked = 0
        /// When the first records arrived, and when the last commit ended, by the monotonic clock; nil before.
        package var firstArrivalNanoseconds, lastCommitNanoseconds: Int64?
        package var activity = RecentActivity()
        /// Trainings that ended, and how the last one did.
        package var retrainings = 0
        package var lastRetraining: String?
    }

    private let metrics: ServiceMetrics
    private let logger: Logger
    private let totals = Mutex(Totals())

    package init(metrics: ServiceMetrics, logger: Logger) {
        self.metrics = metrics
        self.logger = logger
        for code in RejectCode.allCases { metrics.countRejects(0, code: code.text) }
    }

    package var current: Totals { totals.withLock { $0 } }

    /// What people look at every second: `current` holds more, and copies it.
    package var latest: (report: BatchReport, resets: Int, activity: RecentActivity, lastRetraining: String?) {
        totals.withLock { ($0.report, $0.resets, $0.activity, $0.lastRetraining) }
    }

    /// What follows is measured anew: the time of catching up with a history is not the latency of a service.
    package func forgetLatencies() { totals.withLock { $0.latencies = LatencyHistogram() } }

    package func batchDone(_ report: BatchReport) {
        metrics.observations.increment(by: report.predictions)
        metrics.predictions.increment(by: report.predictions)
        metrics.dropped.increment(by: report.dropped)
        metrics.ended.increment(by: report.ended)
        metrics.boundaries.increment(by: report.boundaries)
        metrics.replayed.increment(by: report.replayed)
        metrics.batchRecords.record(report.records)
        metrics.step.recordNanoseconds(report.stepNanoseconds)
        totals.withLock { totals in
            let now = SystemClock().monotonicNanoseconds()
            totals.report.add(report)
            totals.activity.add(report.records - report.replayed, at: now)
            totals.firstArrivalNanoseconds = totals.firstArrivalNanoseconds ?? report.arrivedNanoseconds
        }
    }

    package func produced(_ records: Int, after nanoseconds: Int64) {
        metrics.latency.recordNanoseconds(nanoseconds)
        totals.withLock { totals in
            totals.activity.add(records, latency: nanoseconds, at: SystemClock().monotonicNanoseconds())
            totals.latencies.add(nanoseconds, count: records)
        }
    }

    package func rejected(_ counts: [String: Int]) {
        for (code, count) in counts { metrics.countRejects(count, code: code) }
    }

    package func committed(_ report: CommitReport) {
        metrics.commit.recordNanoseconds(report.nanoseconds)
        metrics.savedSlots.increment(by: report.slots)
        metrics.stateBytesWritten.increment(by: report.stateBytes)
        totals.withLock { $0.lastCommitNanoseconds = SystemClock().monotonicNanoseconds() }
    }

    package func transactionFailed(_ fault: TransactionFault) {
        switch fault {
        case .aborted: metrics.transactionsAborted.increment()
        case .begunAnew: metrics.producersRenewed.increment()
        }
    }

    package func restoring(_ progress: [Int32: Double]) {
        for (partition, share) in progress.sorted(by: { $0.key < $1.key }) {
            logger.info("restoring \(Self.bar(share))", metadata: ["partition": "\(partition)"])
        }
    }

    private static func bar(_ share: Double) -> String {
        let done = Int(share * 20)
        return
            "[\(String(repeating: "#", count: done) + String(repeating: "-", count: 20 - done))] \(Int(share * 100)) %"
    }

    package func live(_ partition: Int32, _ report: RestoreReport) {
        logger.info(
            "partition is live",
            metadata: [
                "partition": "\(partition)", "milliseconds": "\(report.nanoseconds / 1_000_000)",
                "streams": "\(report.streams)", "replayed": "\(report.replayed)",
            ])
    }

    /// How far the inputs of an earlier state are folded again.
    func rebuilding(_ stream: String, _ partition: Int32, start: Offset, reached: Offset, end: Offset) {
        let share = min(1, max(0, Double(reached - start) / Double(max(1, end - start))))
        logger.info(
            "folding again \(Self.bar(share))",
            metadata: [
                "stream": "\(stream)", "partition": "\(partition)", "offset": "\(reached)", "before": "\(end)",
            ])
    }

    package func commandApplied(_ event: Event, matched: Int) {
        switch event.type {
        case .swap:
            metrics.swaps.increment()
            totals.withLock { $0.swaps += 1 }
        case .reset:
            metrics.resets.increment(by: matched)
            totals.withLock { $0.resets += matched }
        default: break
        }
        logger.info(
            "\(event.type.rawValue)",
            metadata: [
                "id": "\(event.id)", "partition": "\(event.partition)", "offset": "\(event.offset)",
                "streams": "\(matched)", "by": "\(event.by)", "model": "\(event.model ?? "")",
            ])
    }

    func retrained(_ outcome: Retraining.Outcome, _ duration: Duration) {
        metrics.countRetraining(outcome, duration)
        totals.withLock { totals in
            totals.retrainings += 1
            totals.lastRetraining = "\(outcome)"
        }
    }

    package func outputBlocked(_ isBlocked: Bool) {
        metrics.outputBlocked.record(isBlocked ? 1 : 0)
        totals.withLock { $0.blocked += isBlocked ? 1 : -1 }
        if isBlocked {
            logger.warning("the output takes nothing: input is paused until it does")
        } else {
            logger.notice("the output takes messages again")
        }
    }

    package func note(_ message: String, _ partition: Int32?, error: SluiceError?) {
        var metadata: Logger.Metadata = [:]
        if let partition { metadata["partition"] = "\(partition)" }
        if let error { metadata["error"] = "\(error)" }
        logger.notice("\(message)", metadata: metadata)
    }
}

extension BatchReport {
    /// Sums all but the time of arrival.
    mutating func add(_ other: BatchReport) {
        records += other.records
        predictions += other.predictions
        rejects += other.rejects
        dropped += other.dropped
        ended += other.ended
        boundaries += other.boundaries
        replayed += other.replayed
        stepNanoseconds += other.stepNanoseconds
    }
}
