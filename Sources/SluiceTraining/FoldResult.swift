internal import SluiceLSTM

/// What came of one fold.
package struct FoldResult: Sendable, Equatable {
    /// Counted from 1.
    package let fold: Int
    /// Rows it was trained on, and measured on.
    package let trainedRows, testedRows: Int
    /// By time: when the rows that it was measured on begin. By stream: nil.
    package let from: Int64?
    /// Streams that it was measured on.
    package let streams: Int
    package let epochs: Int
    /// The epoch whose parameters were kept.
    package let bestEpoch: Int
    /// Of that epoch, on the rows it was chosen by; nil without validation.
    package let validation: Double?
    /// On the fold's own rows, state carried.
    package let carried: Evaluation
    /// The mean over targets and horizons of the error divided by that of the last value; nil for classifiers, and
    /// where the last value is never wrong.
    package let naiveRatio: Double?

    package init(_ fold: Int, _ split: DatasetSplit, _ result: TrainingResult) {
        self.fold = fold
        trainedRows = split.trainedRows
        testedRows = split.testedRows
        from = split.testFrom
        streams = split.testStreams
        epochs = result.epochs.count
        bestEpoch = result.bestEpoch
        validation = result.epochs.first { $0.epoch == result.bestEpoch }?.validation?.loss
        // A fold always has rows to be measured on.
        carried = result.test ?? Evaluation(LossSum(), result.model.manifest)
        naiveRatio = result.errors?.naiveRatio
    }
}

/// A mean over folds, and how far the folds lie from it.
package struct FoldSpread: Sendable, Equatable {
    package let mean: Double
    /// The sample's standard deviation; NaN for a single fold.
    package let deviation: Double

    /// nil if a fold has no such value.
    package init?(_ values: [Double?]) {
        let known = values.compactMap(\.self)
        guard !known.isEmpty, known.count == values.count else { return nil }
        let mean = known.reduce(0, +) / Double(known.count)
        self.mean = mean
        deviation = (known.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(known.count - 1)).squareRoot()
    }
}
