internal import Glibc
internal import SluiceCore
internal import SluiceLSTM

/// One training from its first epoch to its result.
struct TrainingRun {
    private let dataset: Dataset
    private let split: DatasetSplit
    private let manifest: ModelManifest
    private let configuration: TrainingConfiguration
    private let learner: Learner
    private let evaluator: Evaluator
    private let identity: [String: String]
    private var learningRate: LearningRate
    private var observations = 0
    /// The parameters to fall back to.
    private var best: LSTMParameters
    private var bestEpoch = 0
    private var bestLoss = Double.infinity
    private(set) var history: [TrainingProgress.Epoch] = []

    init(
        dataset: Dataset, split: DatasetSplit, manifest: ModelManifest, shape: LSTMShape,
        configuration: TrainingConfiguration, identity: [String: String]
    ) throws(SluiceError) {
        self.identity = identity
        self.dataset = dataset
        self.split = split
        self.manifest = manifest
        self.configuration = configuration
        learningRate = LearningRate(configuration)
        best = LSTMParameters(
            drawnFor: shape, hasInitialState: manifest.initialState.isLearned, weights: configuration.weights,
            forgetBias: configuration.forgetBias, seed: configuration.seed)
        let largest = split.largestBatch(configuration)
        try Self.check(largest.steps, shape, configuration)
        learner = Learner(
            best, manifest: manifest, configuration: configuration, rows: largest.rows, steps: largest.steps)
        evaluator = Evaluator(dataset: dataset, manifest: manifest, configuration: configuration)
    }

    /// Goes on with the epochs that are left.
    ///
    /// - Parameter checkpoint: called at the end of each epoch; what it throws ends training.
    mutating func epochs(
        isCancelled: () -> Bool, checkpoint: TrainingCheckpoint.Keeper,
        progress: (TrainingProgress) -> Void
    ) throws -> TrainingResult.Stop {
        for epoch in history.count..<max(history.count, configuration.epochs) {
            if isStuck { return .early }
            let policy = configuration.carry(inEpoch: epoch)
            let plan = BatchPlan.epoch(epoch, of: split.train, policy: policy, configuration)
            let states = LaneStates(shape: learner.network.layout.shape, lanes: plan.lanes)
            var total = LossSum()
            learner.learningRate = learningRate.value
            for (index, batch) in plan.batches.enumerated() {
                if isCancelled() {
                    // Better a few batches than the initial draw.
                    if history.isEmpty { best = learner.parameters }
                    return .cancelled
                }
                let loss = learner.step(batch, of: dataset, states: states, epoch: epoch)
                guard loss.sum.isFinite else { return .diverged(epoch: epoch + 1, batch: index + 1) }
                total += loss
                if hasGrown(total) { return .diverged(epoch: epoch + 1, batch: index + 1) }
                observations += batch.reduce(0) { $0 + $1.rows.count }
                progress(
                    .batch(
                        TrainingProgress.Batch(
                            epoch: epoch + 1, epochs: configuration.epochs, batch: index + 1,
                            batches: plan.batches.count, loss: total.mean, observations: observations)))
            }
            guard total.count > 0 else {
                throw nothingToLearn
            }
            let record: TrainingProgress.Epoch?
            do {
                record = try end(epoch, policy, total) {
                    if isCancelled() { throw CancellationError() }
                    progress(.measuring)
                }
            } catch is CancellationError {
                if history.isEmpty { best = learner.parameters }
                return .cancelled
            }
            guard let record else { return .diverged(epoch: epoch + 1, batch: plan.batches.count) }
            progress(.epoch(record))
            try checkpoint(self.checkpoint)
        }
        return isStuck ? .early : .completed
    }

    /// How many times the first epoch's loss an epoch's may be. The data is the same, and what the first begins with
    /// has learned nothing.
    static let growthMaximum = 10.0

    /// Whether an epoch's loss, however well it goes on, is so far above that of the first that it cannot be called
    /// learning. What only forecasts worse than before is early stopping's to end.
    private func hasGrown(_ total: LossSum) -> Bool {
        guard let first = history.first?.train, first.count > 0 else { return false }
        // A likelihood's loss may be next to nothing, or below: there a difference counts, of so many nats.
        let unit = manifest.head == .gaussian ? max(1, abs(first.loss)) : first.loss
        let limit = first.loss + (Self.growthMaximum - 1) * unit
        return limit > 0 && total.sum > limit * Double(max(first.count, total.count))
    }

    private var nothingToLearn: SluiceError {
        let isLast = configuration.lossAt == .last
        return SluiceError(
            .invalidInput,
            isLast
                ? "train.loss_at is last, and no sequence of the training part ends at a row with a target or label"
                : "no observation of the training part has a target or label to learn from",
            remedy: isLast
                ? "set train.loss_at to every, or declare boundaries where sequences end"
                : "bring more observations, or set train.validation and train.test to smaller parts")
    }

    /// - Throws: `configuration-invalid` where a batch cannot be held, before anything is asked for.
    static func check(
        _ steps: Int, _ shape: LSTMShape, _ configuration: TrainingConfiguration
    ) throws(SluiceError) {
        // Each step keeps gates, cell, its tanh and output of each layer, and gradients of as much.
        let bytes =
            4.0 * Double(steps) * Double(shape.layers * 12 * shape.hidden + 2 * shape.inputs + 4 * shape.outputs)
        guard bytes > Double(sysconf(Int32(_SC_PHYS_PAGES))) * Double(sysconf(Int32(_SC_PAGESIZE))) else { return }
        throw SluiceError(
            .invalidConfiguration,
            "a batch of \(steps) steps of hidden \(shape.hidden) takes \(Int(bytes / 1e9)) GB: the machine has less",
            remedy: "lower train.rows (\(configuration.rows)), train.chunk (\(configuration.chunk)) or model.hidden")
    }

    /// Whether no epoch of the last `patience` was the best.
    private var isStuck: Bool {
        configuration.patience > 0 && !split.validation.isEmpty && history.count - bestEpoch >= configuration.patience
    }

    /// Validates, and keeps the parameters if they are the best; nil if the epoch's last update left them no good.
    private mutating func end(
        _ epoch: Int, _ policy: CarryPolicy, _ total: LossSum, each: () throws -> Void
    ) throws -> TrainingProgress.Epoch? {
        let parameters = learner.parameters
        guard parameters.values.allSatisfy(\.isFinite) else { return nil }
        let validation =
            split.validation.isEmpty
            ? nil : try evaluator.evaluate(split.validation, policy: policy, with: learner, each: each)
        // Losses that were measured under another policy are no measure for this one's.
        if let before = history.last, before.policy != policy { bestLoss = .infinity }
        // Without a validation loss to compare (none held out, or all of it masked) the last epoch is the best.
        if let validation, validation.count > 0 {
            guard validation.loss.isFinite else { return nil }
            if validation.loss < bestLoss { (best, bestEpoch, bestLoss) = (parameters, epoch + 1, validation.loss) }
        } else {
            (best, bestEpoch) = (parameters, epoch + 1)
        }
        let record = TrainingProgress.Epoch(
            epoch: epoch + 1, policy: policy, train: Evaluation(total, manifest), validation: validation)
        history.append(record)
        let watched = validation.flatMap { $0.count > 0 ? $0.loss : nil } ?? total.mean
        learningRate.end(epoch: epoch + 1, loss: watched)
        return record
    }

    /// The best model, measured.
    ///
    /// - Parameter isCancelled: asked before each batch; what is measured by then remains.
    func result(
        _ stop: TrainingResult.Stop, scaler: Model.Scaler?, incumbent: Model?, isCancelled: () -> Bool,
        progress: (TrainingProgress) -> Void
    ) -> TrainingResult {
        var result = TrainingResult(
            model: Model(manifest: manifest, parameters: best, scaler: scaler), epochs: history, bestEpoch: bestEpoch,
            stop: stop)
        do {
            try measure(&result, incumbent) {
                if isCancelled() { throw CancellationError() }
                progress(.measuring)
            }
        } catch {
            result.isMeasured = false
        }
        return result
    }

    private func measure(_ result: inout TrainingResult, _ incumbent: Model?, each: () throws -> Void) throws {
        func served(_ segments: [Segment], _ part: ServedErrors.Part) throws -> (Evaluation, ServedErrors)? {
            guard !segments.isEmpty else { return nil }
            return try evaluator.served(segments, as: part, training: split.train, parameters: best, each: each)
        }
        if let (carried, errors) = try served(split.validation, .validation) {
            result.errors = errors
            result.carryGap = CarryGap(
                resetPerChunk: try evaluator.resetPerChunk(split.validation, parameters: best, each: each),
                carried: carried)
        }
        if let (test, errors) = try served(split.test, .test) { (result.test, result.errors) = (test, errors) }
        guard let incumbent, incumbent.isComparable(with: manifest), !split.validation.isEmpty else { return }
        result.incumbent = try evaluator.carried(
            split.validation, parameters: incumbent.parameters(in: result.model.scaler), each: each)
    }
}

extension TrainingRun {
    /// As at the end of the last epoch.
    private var checkpoint: TrainingCheckpoint {
        TrainingCheckpoint(
            progress: TrainingCheckpoint.Progress(
                identity: identity, observations: observations, bestEpoch: bestEpoch, bestLoss: bestLoss,
                updates: learner.optimizer.updates, learningRate: learningRate, epochs: history),
            parameters: learner.parameters.values, best: best.values, moments: learner.optimizer.moments)
    }

    /// Becomes the run that the checkpoint is of.
    ///
    /// - Throws: `checkpoint-foreign`.
    mutating func resume(_ checkpoint: TrainingCheckpoint) throws(SluiceError) {
        try checkpoint.check(identity, count: best.values.count)
        let progress = checkpoint.progress
        (observations, bestEpoch, bestLoss) = (progress.observations, progress.bestEpoch, progress.bestLoss)
        (learningRate, history) = (progress.learningRate, progress.epochs)
        best.values = checkpoint.parameters
        learner.parameters = best
        best.values = checkpoint.best
        learner.optimizer.restore(checkpoint.moments, updates: progress.updates)
    }
}
