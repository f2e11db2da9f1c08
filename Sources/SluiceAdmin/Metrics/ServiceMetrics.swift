package import Foundation
package import Metrics
internal import SluiceCore
internal import Synchronization

/// Every metric of the service but those of its HTTP requests (`RequestMetrics`) and of its process
/// (`ProcessMetrics`): declared here once, with its name, help and unit, and nowhere else. `docs/metrics.md` lists all.
///
/// Written from any thread; made for numbers per batch, not per record. Nothing here has a label per stream.
package final class ServiceMetrics: Sendable {
    /// How a retraining ended.
    package enum RetrainOutcome: String, Sendable, CaseIterable {
        case succeeded
        /// It ran, and made no model.
        case failed
        /// It made a model that is not promoted, or was not begun.
        case refused
    }

    package let registry: PrometheusRegistry

    package let observations: Counter
    package let predictions: Counter
    package let dropped: Counter
    package let ended: Counter
    package let boundaries: Counter
    package let resets: Counter
    /// Counted once per partition.
    package let swaps: Counter
    package let replayed: Counter
    package let savedSlots: Counter
    package let stateBytesWritten: Counter
    /// Records per batch.
    package let batchRecords: Recorder
    package let step: Metrics.Timer
    /// From when a worker takes a batch from the client, where it may have waited, to the hand-over of its outputs.
    package let latency: Metrics.Timer
    package let commit: Metrics.Timer
    package let transactionsAborted: Counter
    /// Producers of transactions that were given up for a new one.
    package let producersRenewed: Counter
    package let streams: Gauge
    package let stateBytes: Gauge
    /// 1 while the output takes nothing and input is paused.
    package let outputBlocked: Gauge
    package let ready: Gauge

    private let lags = Mutex<[Int32: Gauge]>([:])
    private let model = Mutex<Gauge?>(nil)

    package init(registry: PrometheusRegistry) {
        self.registry = registry
        observations = registry.counter("sluice_observations_total", "Observations applied to a slot.")
        predictions = registry.counter("sluice_predictions_total", "Predictions produced.")
        dropped = registry.counter("sluice_dropped_total", "Late observations dropped, as input.late: drop asks.")
        ended = registry.counter("sluice_streams_ended_total", "Streams ended by a null value.")
        boundaries = registry.counter("sluice_boundaries_total", "Boundaries applied, of any cause.")
        resets = registry.counter("sluice_resets_total", "Streams in memory set back by a command.")
        swaps = registry.counter("sluice_swaps_total", "Swaps to another model, counted once for each partition.")
        replayed = registry.counter("sluice_replayed_total", "Observations folded again after a restart, unemitted.")
        savedSlots = registry.counter("sluice_saved_slots_total", "Slot snapshots saved.")
        stateBytesWritten = registry.counter(
            "sluice_state_written_bytes_total",
            "Bytes of slots, markers and heads stored, counted once; exactly-once they go to log and disk.")
        batchRecords = registry.histogram("sluice_batch_records", "Records taken from the log at once.", .records)
        step = registry.timer("sluice_step_seconds", "Time of a batch in the LSTM step.")
        latency = registry.timer(
            "sluice_latency_seconds",
            "Time from a worker's taking of a batch to its outputs produced: handed to the client or, exactly-once, "
                + "committed.")
        commit = registry.timer("sluice_commit_seconds", "Time of a commit: delivery, state, positions.")
        transactionsAborted = registry.counter(
            "sluice_transactions_aborted_total", "Transactions aborted and sent again, exactly-once.")
        producersRenewed = registry.counter(
            "sluice_producers_renewed_total", "Transactional producers made anew, and partitions restored for it.")
        streams = registry.gauge("sluice_streams", "Streams with a slot, in memory or on disk.")
        stateBytes = registry.gauge("sluice_state_bytes", "Memory of the slots.")
        outputBlocked = registry.gauge("sluice_output_blocked", "1 while the output takes nothing.")
        ready = registry.gauge("sluice_ready", "1 while the service is ready.")
        for description in Self.labelled + ProcessMetrics.descriptions { registry.declare(description) }
        for outcome in RetrainOutcome.allCases { retrains(outcome).increment(by: 0) }
        Gauge(
            label: Self.buildInfo, dimensions: [("version", Version.text), ("architecture", Self.architecture)],
            factory: registry
        ).record(1)
        registry.beforeExposition { [unowned registry] in
            let values = ProcessMetrics.values()
            for metric in ProcessMetrics.descriptions {
                guard let value = values[metric.name], case .scalar(let cell) = registry.cell(metric) else { continue }
                cell.set(value)
            }
        }
    }

    private static let rejects = "sluice_rejects_total"
    private static let lag = "sluice_lag_records"
    private static let commitAge = "sluice_commit_age_seconds"
    private static let modelInfo = "sluice_model_info"
    private static let modelActivation = "sluice_model_activation_timestamp_seconds"
    private static let retrains = "sluice_retrains_total"
    private static let retrainDuration = "sluice_retrain_last_duration_seconds"
    private static let buildInfo = "sluice_build_info"

    /// Metrics with labels, or without a value until something happens.
    private static let labelled = [
        MetricDescription(rejects, "Records rejected, by the reject's code.", .counter, labels: ["code"]),
        MetricDescription(
            lag, "Records between the fold and the end of a partition owned here.", .gauge, labels: ["partition"]),
        MetricDescription(
            commitAge, "Age of the oldest input or command of a worker that is not committed; 0 at rest.", .gauge,
            labels: ["worker"]),
        MetricDescription(
            modelInfo, "Always 1; the labels name the active model.", .gauge, labels: ["hash", "version"]),
        MetricDescription(modelActivation, "When the active model became so, seconds since 1970.", .gauge),
        MetricDescription(
            retrains, "Retrainings: succeeded, failed, or refused by the promotion policy.", .counter,
            labels: ["outcome"]),
        MetricDescription(retrainDuration, "Time of the last retraining, however it ended.", .gauge),
        MetricDescription(
            buildInfo, "Always 1; the labels name the program.", .gauge, labels: ["architecture", "version"]),
    ]

    #if arch(arm64)
        private static let architecture = "arm64"
    #else
        private static let architecture = "x86-64"
    #endif

    /// Rejects of a code; zero makes the series appear, so that its first reject shows as a rate.
    package func countRejects(_ count: Int, code: String) {
        Counter(label: Self.rejects, dimensions: [("code", code)], factory: registry).increment(by: count)
    }

    /// - Parameter seconds: how long it took.
    package func countRetrain(_ outcome: RetrainOutcome, seconds: Double) {
        retrains(outcome).increment()
        Gauge(label: Self.retrainDuration, factory: registry).record(seconds)
    }

    private func retrains(_ outcome: RetrainOutcome) -> Counter {
        Counter(label: Self.retrains, dimensions: [("outcome", outcome.rawValue)], factory: registry)
    }

    /// Sets a partition's lag; nil when it is no longer owned here.
    package func setLag(_ records: Int64?, partition: Int32) {
        lags.withLock { lags in
            guard let records else {
                lags.removeValue(forKey: partition)?.destroy()
                return
            }
            let gauge =
                lags[partition]
                ?? Gauge(label: Self.lag, dimensions: [("partition", String(partition))], factory: registry)
            lags[partition] = gauge
            gauge.record(records)
        }
    }

    package func setCommitAge(_ seconds: Double, worker: Int) {
        Gauge(label: Self.commitAge, dimensions: [("worker", String(worker))], factory: registry).record(seconds)
    }

    /// Names the active model, from now on.
    package func setModel(version: String, hash: String, activated: Date = .now) {
        model.withLock { model in
            model?.destroy()
            let gauge = Gauge(
                label: Self.modelInfo, dimensions: [("version", version), ("hash", hash)], factory: registry)
            gauge.record(1)
            model = gauge
        }
        Gauge(label: Self.modelActivation, factory: registry).record(activated.timeIntervalSince1970)
    }
}

extension PrometheusRegistry {
    fileprivate func counter(_ name: String, _ help: String) -> Counter {
        declare(MetricDescription(name, help, .counter))
        return Counter(label: name, factory: self)
    }

    fileprivate func gauge(_ name: String, _ help: String) -> Gauge {
        declare(MetricDescription(name, help, .gauge))
        return Gauge(label: name, factory: self)
    }

    fileprivate func timer(_ name: String, _ help: String) -> Metrics.Timer {
        declare(MetricDescription(name, help, .seconds))
        return Metrics.Timer(label: name, factory: self)
    }

    fileprivate func histogram(_ name: String, _ help: String, _ kind: MetricDescription.Kind) -> Recorder {
        declare(MetricDescription(name, help, kind))
        return Recorder(label: name, dimensions: [], aggregate: true, factory: self)
    }
}
