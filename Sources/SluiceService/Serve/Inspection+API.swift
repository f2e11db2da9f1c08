import SluiceAdmin
import SluiceCore
import SluiceEngine

extension StreamSummary {
    init(_ row: StreamRow, hasValues: Bool = false) {
        self.init(
            stream: row.key, partition: row.partition, step: row.step, sequence: row.sequence,
            time: Timestamp(present: row.time), forecast: row.forecast.finite, anomaly: row.anomaly.finite,
            error: row.error.finite,
            values: hasValues ? row.values.map { StreamValue(offset: $0.offset, value: $0.value.finite) } : nil)
    }
}

extension StreamSlot {
    init(_ view: SlotView) {
        self.init(
            summary: StreamSummary(view.row), offset: view.fence, model: view.model,
            boundary: SlotBoundary(
                cause: "\(view.boundaryCause)", time: Timestamp(present: view.boundaryTime),
                offset: view.boundaryOffset),
            resets: Int64(view.resets), norms: StateVectors(h: view.hiddenNorms, c: view.cellNorms),
            saturation: view.saturation,
            scaler: SlotScaler(
                mean: view.means.map { Float($0) }, scale: view.scales.map { Float($0) },
                count: Int64(view.counts.max() ?? 0)),
            horizon: view.horizon > 0 ? view.horizon : nil, recent: view.recent.map(RecentStep.init),
            state: view.hidden.flatMap { hidden in view.cell.map { StateVectors(h: hidden, c: $0) } })
    }
}

extension RecentStep {
    init(_ entry: RecentRing.Entry) {
        self.init(
            offset: entry.offset, time: Timestamp(present: entry.time), step: entry.step,
            value: entry.value.finite, forecast: entry.forecast.finite, low: entry.low.finite, high: entry.high.finite,
            anomaly: entry.anomaly.finite, boundary: entry.boundary.map { "\($0)" })
    }
}

extension Float {
    /// Nil for NaN, which stands for "none" in slots.
    fileprivate var finite: Float? { isFinite ? self : nil }
}
