/// What a row's state is at the start of a batch (`training.md`, "Carry policies").
package enum CarryPolicy: String, Codable, Sendable, CaseIterable {
    case perBatch = "per-batch"
    case acrossBatches = "across-batches"
    case acrossSequences = "across-sequences"
}

/// Which chunk goes into which row under `across-batches`.
package enum RowOrder: String, Sendable, CaseIterable {
    case lanes, strided
}

package enum OptimizerKind: String, Sendable, CaseIterable {
    case sgd, adam, adamw, rmsprop
}

package enum LearningRateSchedule: String, Codable, Sendable, CaseIterable {
    case constant, step, cosine
    case reduceOnPlateau = "reduce-on-plateau"
}

/// The steps of a sequence whose loss counts: `last` is the last one that has a target.
package enum LossPlacement: String, Sendable, CaseIterable {
    case every, last
}

package enum WeightInitialization: String, Sendable, CaseIterable {
    case pytorch, xavier, kaiming, orthogonal
}

/// What is held out: the last part in time of every stream, or whole streams.
package enum HoldOut: String, Sendable, CaseIterable {
    case time, stream
}

/// The `train:` block (`training.md`, "Configuration"), with its defaults.
package struct TrainingConfiguration: Sendable, Equatable {
    /// The policy of each epoch; the last one goes on.
    package var carry: [CarryPolicy] = [.acrossBatches]
    /// Steps between two updates of a row.
    package var chunk = 64
    /// Rows of a batch, B.
    package var rows = 32
    package var order = RowOrder.lanes
    package var optimizer = OptimizerKind.adam
    package var learningRate = 0.001
    /// Of SGD.
    package var momentum = 0.9
    /// nil: PyTorch's default, 0.01 of AdamW and 0 of the others.
    package var weightDecay: Double?
    package var schedule = LearningRateSchedule.constant
    /// `step`: epochs between two reductions; `reduce-on-plateau`: epochs without a better loss before one.
    package var scheduleEpochs = 5
    /// Of a reduction.
    package var scheduleFactor = 0.5
    /// Probability with which an output is dropped between two layers.
    package var dropout = 0.0
    package var lossAt = LossPlacement.every
    package var epochs = 20
    /// Epochs without a better validation loss before training stops; 0: it does not.
    package var patience = 10
    /// Largest global norm of the gradient; 0: no clipping.
    package var clip = 1.0
    package var weights = WeightInitialization.pytorch
    /// 1 sets the forget part of `bias_ih` to 1 and of `bias_hh` to 0; 0 leaves both as `weights` draws them.
    package var forgetBias = 0
    /// Part of the observations held out for validation, and for the final test.
    package var validation = 0.15
    package var by = HoldOut.time
    package var test = 0.0
    package var seed: UInt64 = 0
    /// nil: all cores. The result does not depend on the number.
    package var threads: Int?

    package init() {}

    /// The policy of an epoch, counted from 0.
    package func carry(inEpoch epoch: Int) -> CarryPolicy { carry[min(epoch, carry.count - 1)] }
}
