package import SluiceTraining

/// `train`: how models are trained, offline and by `retrain` (`training.md`, "Configuration").
package struct TrainSection: Sendable, Equatable {
    package let carry: CarryPlan
    /// Steps of a chunk: the length of the truncated gradient.
    package let chunk: Int
    /// Rows of a batch.
    package let rows: Int
    package let order: RowOrder
    package let optimizer: OptimizerKind
    package let learningRate: Double
    /// Of SGD.
    package let momentum: Double
    /// nil: PyTorch's default of the optimizer.
    package let weightDecay: Double?
    package let schedule: LearningRateSchedule
    /// Epochs between two reductions, or without improvement before one.
    package let scheduleEpochs: Int
    package let scheduleFactor: Double
    /// Probability with which an output is dropped between two layers.
    package let dropout: Double
    package let lossAt: LossPlacement
    package let epochs: Int
    /// Epochs without improvement before training stops; 0 never stops early.
    package let patience: Int
    /// Largest global norm of a gradient; 0 does not clip.
    package let clip: Double
    package let weights: WeightInitialization
    /// 0 or 1.
    package let forgetBias: Int
    /// Share of the data held out for validation.
    package let validation: Double
    package let by: HoldOut
    /// Share of the data held out for a last test.
    package let test: Double
    package let seed: UInt64
    /// nil: all cores.
    package let threads: Int?

    init(_ reader: inout SettingsReader) {
        let share = SettingKind<Double>.number("at least 0 and below 1") { $0 >= 0 && $0 < 1 }
        carry = reader.read("train.carry", .carryPlan, default: .acrossBatches)
        chunk = reader.read("train.chunk", .integer(TrainingConfiguration.batchRange), default: 64)
        rows = reader.read("train.rows", .integer(TrainingConfiguration.batchRange), default: 32)
        order = reader.read("train.order", .choice, default: .lanes)
        optimizer = reader.read("train.optimizer", .choice, default: .adam)
        learningRate = reader.read("train.learning_rate", .number("above 0") { $0 > 0 }, default: 0.001)
        momentum = reader.read("train.momentum", share, default: 0.9)
        weightDecay = reader.read(
            "train.weight_decay", optional: .number("between 0 and 1") { (0...1).contains($0) })
        schedule = reader.read("train.schedule", .choice, default: .constant)
        scheduleEpochs = reader.read("train.schedule_epochs", .integer(1...1_000_000), default: 5)
        scheduleFactor = reader.read(
            "train.schedule_factor", .number("between 0 and 1, both excluded") { $0 > 0 && $0 < 1 }, default: 0.5)
        dropout = reader.read("train.dropout", share, default: 0)
        lossAt = reader.read("train.loss_at", .choice, default: .every)
        epochs = reader.read("train.epochs", .integer(1...1_000_000), default: 20)
        patience = reader.read("train.patience", .integer(0...1_000_000), default: 10)
        clip = reader.read("train.clip", .number("0 or more") { $0 >= 0 }, default: 1.0)
        weights = reader.read("train.weights", .choice, default: .pytorch)
        forgetBias = reader.read("train.forget_bias", .integer(0...1), default: 0)
        validation = reader.read("train.validation", share, default: 0.15)
        by = reader.read("train.by", .choice, default: .time)
        test = reader.read("train.test", share, default: 0)
        seed = reader.read("train.seed", .seed, default: 0)
        threads = reader.read("train.threads", optional: .integer(1...1_024))
        if reader.isSound("train.validation"), reader.isSound("train.test"), validation + test >= 1 {
            reader.report("train.test", "with train.validation leaves nothing to train on")
        }
        if order == .strided, reader.isSound("train.carry"), !carry.epochs.contains(.acrossBatches) {
            reader.report(
                "train.order", "strided is an order of rows of across-batches: no epoch of train.carry has it")
        }
        if optimizer != .sgd, momentum != 0.9 || reader.isFlag("train.momentum"), reader.isSound("train.optimizer"),
            reader.isSound("train.momentum")
        {
            reader.report("train.momentum", "is of sgd: train.optimizer \(optimizer.rawValue) has none")
        }
        if patience > 0, validation == 0, reader.isSound("train.validation"), reader.isGiven("train.patience") {
            reader.report("train.patience", "needs train.validation above 0 to see an improvement")
        }
    }
}
