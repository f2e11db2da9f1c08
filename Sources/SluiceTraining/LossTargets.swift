internal import SluiceLSTM

/// What each step of a batch should have answered.
struct LossTargets {
    private let classifies: Bool
    private let targets: Int
    private let horizons: [Int]
    private let placement: LossPlacement

    init(_ manifest: ModelManifest, _ placement: LossPlacement) {
        classifies = manifest.head.classifies
        targets = manifest.targets.count
        horizons = manifest.horizons
        self.placement = placement
    }

    /// Fills `out [P, width]`, target-major then horizon; NaN masks: a row that is not warm or not scored, a missing
    /// value or label, a horizon that reaches past the segment.
    func fill(_ batch: PackedBatch, of dataset: Dataset, into out: Floats) {
        let width = classifies ? 1 : targets * horizons.count
        for (j, row) in batch.rows.enumerated() {
            let series = dataset.series[row.segment.series]
            for (step, index) in row.rows.enumerated() {
                let place = out + (batch.offsets[step] + j) * width
                if index < row.segment.scoredFrom || !series.warm[index] {
                    place.update(repeating: .nan, count: width)
                } else if classifies {
                    place[0] = label(series, index)
                } else {
                    forecasts(series, index, end: row.segment.rows.upperBound, into: place)
                }
            }
        }
    }

    private func label(_ series: TrainingSeries, _ row: Int) -> Float {
        let label = series.labels[row]
        return label == -1 || !series.counts(row, placement) ? .nan : label
    }

    private func forecasts(_ series: TrainingSeries, _ row: Int, end: Int, into place: Floats) {
        for target in 0..<targets {
            let own = row * targets + target
            for (index, horizon) in horizons.enumerated() {
                let ahead = row + horizon
                var value = Float.nan
                if ahead < end, series.counts(ahead, placement) {
                    let observed = Double(series.targets[ahead * targets + target])
                    value = Float((observed - series.center[own]) / series.scale[own])
                }
                place[target * horizons.count + index] = value.isFinite ? value : .nan
            }
        }
    }
}

extension TrainingSeries {
    /// Whether the loss about `row` counts: with `last`, if the sequence ends there.
    func counts(_ row: Int, _ placement: LossPlacement) -> Bool {
        placement == .every || row + 1 == count || boundary[row + 1]
    }
}
