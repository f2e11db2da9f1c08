package import Metrics
internal import Synchronization

/// Every metric of the service: declared here once, with its name, help and unit, and nowhere else.
///
/// Written from any thread; made for numbers per batch, not per record.
package final class ServiceMetrics: Sendable {
    package let registry: PrometheusRegistry

    package let observations: Counter
    package let predictions: Counter
    package let dropped: Counter
    package let boundaries: Counter
    package let resets: Counter
    package let swaps: Counter
    package let replayed: Counter
    package let savedSlots: Counter
    /// Records per batch.
    package let batchRecords: Recorder
    package let step: Metrics.Timer
    /// From the arrival of a batch to the hand-over of its outputs.
    package let latency: Metrics.Timer
    package let commit: Metrics.Timer
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
        dropped = registry.counter("sluice_dropped_total", "Observations dropped by policy, late ones for example.")
        boundaries = registry.counter("sluice_boundaries_total", "Boundaries applied, of any cause.")
        resets = registry.counter("sluice_resets_total", "Streams set back by a command.")
        swaps = registry.counter("sluice_swaps_total", "Partitions that swapped to another model.")
        replayed = registry.counter("sluice_replayed_total", "Observations folded again after a restart, unemitted.")
        savedSlots = registry.counter("sluice_saved_slots_total", "Slot snapshots saved.")
        batchRecords = registry.histogram("sluice_batch_records", "Records taken from the log at once.", .records)
        step = registry.timer("sluice_step_seconds", "Time of a batch in the LSTM step.")
        latency = registry.timer("sluice_latency_seconds", "Time of a batch from arrival to its outputs produced.")
        commit = registry.timer("sluice_commit_seconds", "Time of a commit: flush, save, commit of the offsets.")
        streams = registry.gauge("sluice_streams", "Streams with a slot in memory.")
        stateBytes = registry.gauge("sluice_state_bytes", "Memory of the slots.")
        outputBlocked = registry.gauge("sluice_output_blocked", "1 while the output takes nothing.")
        ready = registry.gauge("sluice_ready", "1 while the service is ready.")
        registry.declare(MetricDescription("sluice_retrains_total", "Retrainings.", .counter))
        registry.declare(MetricDescription(Self.rejects, "Records rejected, by the reject's code.", .counter))
        registry.declare(MetricDescription(Self.lag, "Records between the fold and the partition's end.", .gauge))
        registry.declare(MetricDescription(Self.modelInfo, "Always 1; the labels name the active model.", .gauge))
    }

    private static let rejects = "sluice_rejects_total"
    private static let lag = "sluice_lag_records"
    private static let modelInfo = "sluice_model_info"

    /// How a retraining ended.
    package enum RetrainOutcome: String, Sendable, CaseIterable {
        case succeeded, failed, refused
    }

    package func countRetrain(_ outcome: RetrainOutcome, seconds: Double) {
        Counter(label: "sluice_retrains_total", dimensions: [("outcome", outcome.rawValue)], factory: registry).increment()
    }

    package func countRejects(_ count: Int, code: String) {
        Counter(label: Self.rejects, dimensions: [("code", code)], factory: registry).increment(by: count)
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

    package func setModel(version: String, hash: String) {
        model.withLock { model in
            model?.destroy()
            let gauge = Gauge(
                label: Self.modelInfo, dimensions: [("version", version), ("hash", hash)], factory: registry)
            gauge.record(1)
            model = gauge
        }
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
