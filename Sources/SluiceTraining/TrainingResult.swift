package import SluiceLSTM

/// How well a model does on some rows. Losses are in the units of the network's outputs (scaled targets).
package struct Evaluation: Codable, Sendable, Equatable {
    /// The mean over `count` terms; NaN if there are none.
    package let loss: Double
    /// Forecasts (times quantiles), or labels, that counted.
    package let count: Int
    /// Classifiers: the share of labels whose class was the likeliest.
    package let accuracy: Double?

    init(_ sum: LossSum, _ manifest: ModelManifest) {
        loss = sum.mean
        count = sum.count
        accuracy = manifest.head.classifies ? Double(sum.correct) / Double(sum.count) : nil
    }
}

/// The validation rows twice: with the state reset before every chunk, and carried as in service. The difference says
/// whether the carry policy suits how the model is served.
package struct CarryGap: Sendable, Equatable {
    package let resetPerChunk: Evaluation
    package let carried: Evaluation

    /// What carrying costs (positive) or gains (negative), in loss.
    package var difference: Double { carried.loss - resetPerChunk.loss }
}

/// Training says how far it is after every batch and every epoch.
package enum TrainingProgress: Sendable {
    package struct Batch: Sendable {
        /// Counted from 1, as is `batch`.
        package let epoch, epochs: Int
        package let batch, batches: Int
        /// Mean loss of the epoch so far.
        package let loss: Double
        /// Observations trained on, of all epochs so far.
        package let observations: Int
    }

    package struct Epoch: Codable, Sendable, Equatable {
        package let epoch: Int
        package let policy: CarryPolicy
        package let train: Evaluation
        /// nil without validation.
        package let validation: Evaluation?
    }

    case batch(Batch)
    case epoch(Epoch)
    /// Training has ended, and the best model is measured.
    case trained
    /// A batch of the held-out rows is measured: a large window takes longer over them than one may be silent.
    case measuring
}

/// A trained model and how it came about.
package struct TrainingResult: Sendable {
    /// Why training stopped.
    package enum Stop: Sendable, Equatable {
        case completed
        /// No better validation loss for `patience` epochs.
        case early
        case cancelled
        /// The loss or gradient of that batch was not finite, or the epoch's loss had grown to 10 times the first's;
        /// the model is the best before.
        case diverged(epoch: Int, batch: Int)
    }

    /// That of `bestEpoch`.
    package var model: Model
    package let epochs: [TrainingProgress.Epoch]
    /// The epoch with the smallest validation loss, the last one without validation; counted from 1; 0: none was ended.
    package let bestEpoch: Int
    package var stop: Stop
    /// Whether what follows is all that there is to be measured; false where that was cancelled.
    package var isMeasured = true
    /// nil without validation.
    package var carryGap: CarryGap?
    /// On the rows kept for the end, state carried; nil without them.
    package var test: Evaluation?
    /// On the same rows, without them on those of the validation; nil without either.
    package var errors: ServedErrors?
    /// Another model on the validation rows, state carried, in this model's units: to be set beside `carryGap.carried`.
    /// nil without one, or where the two cannot be compared.
    package var incumbent: Evaluation?
}
