package import SluiceConfiguration
import SluiceCore
package import SluiceLSTM
import SluiceSchema
import SluiceState
package import SluiceTraining

/// Trains one model from recorded observations: reads them through the serving pass, then trains.
package struct TrainingJob: Sendable {
    package enum Progress: Sendable {
        /// Share of the observations read, 0 to 1.
        case reading(observations: Int, share: Double)
        /// All is read; rejects by code, with the first message of each; `commands` as in the data manifest.
        case dataset(
            observations: Int, streams: Int, rejects: [String: (count: Int, message: String)],
            commands: DataManifest.Commands?)
        /// Inputs that never change.
        case constant([String])
        /// What is trained on, and what is held out.
        case divided(DataDivision)
        case tuning(Tuner.Progress)
        case tuned(TuningResult)
        case training(TrainingProgress)
        /// The same of a fold, counted from 1.
        case fold(Int, TrainingProgress)
        case folded(FoldResult)
    }

    package struct Outcome: Sendable {
        package var result: TrainingResult
        /// The search, as far as it came; nil without one.
        package var tuning: TuningResult?
        /// The trial that the model is of where the run was cancelled before the model's own training; nil else.
        package var standby: TuningTrial?
        /// The settings that it was trained with.
        package var training: TrainingConfiguration
        /// Of the cross-validation; empty without.
        package var folds: [FoldResult]
        /// Inputs that never change.
        package var constantInputs: [String]
        package var division: DataDivision
        package var streams: Int
        package var observations: Int
        /// Observations that could not be used, by reject code, with the first message of each.
        package var rejects: [String: (count: Int, message: String)]
    }

    package let configuration: Configuration
    package private(set) var training: TrainingConfiguration
    private var hidden: Int

    let memory: DatasetMemory

    /// A model to be measured on the same validation rows.
    private let incumbent: Model?

    /// - Parameters:
    ///   - isRetraining: whether the carry policy is that of `retrain`.
    ///   - memory: what the data may take of it, and where the rest goes.
    package init(
        _ configuration: Configuration, isRetraining: Bool = false, incumbent: Model? = nil, memory: DatasetMemory
    ) {
        self.configuration = configuration
        self.memory = memory
        self.incumbent = incumbent
        var training = TrainingConfiguration(configuration.train)
        if isRetraining { training.carry = configuration.retrain.carry.epochs }
        self.training = training
        hidden = configuration.model.hidden
    }

    /// What the model will be, but for its version.
    package var manifest: ModelManifest {
        let model = configuration.model
        let initial = model.initialState
        return ModelManifest(
            name: configuration.application, version: "", inputs: configuration.input.features.map(\.name),
            targets: model.targets, horizons: model.horizons, head: model.head, quantiles: model.quantiles,
            initialState: initial,
            initialStateDeviation: initial == .normal || initial == .learnedNoise ? model.initialStateDeviation : nil,
            initialStateRange: initial == .uniform ? model.initialStateRange : nil,
            initialStateNoise: model.initialStateNoise ? true : nil, scaling: model.scaling, classes: model.classes,
            seed: initial == .zero || initial == .learned ? nil : training.seed,
            warmup: model.warmup == 0 ? nil : model.warmup)
    }

    package var shape: LSTMShape {
        LSTMShape(
            inputs: manifest.inputs.count, hidden: hidden, layers: configuration.model.layers,
            outputs: manifest.outputs)
    }

    /// Reads the source and trains; with `scaling: global`, whose scaler is that of the training part, it is read once
    /// more for the training and for each fold.
    ///
    /// - Parameters:
    ///   - tuning: a search first, whose best trial takes the place of what is configured.
    ///   - folds: of a cross-validation beforehand, 2 to `Folds.maximum`; nil for none. Nothing is kept of folds.
    ///   - resuming: goes on from there.
    ///   - checkpoint: called at the end of each epoch of the training itself; what it throws ends the job.
    ///   - isMeasuringCancelled: asked when training has ended: the model is then not measured any further.
    /// - Throws: what is wrong with the source, the data or the configuration; `CancellationError` where it is
    ///   cancelled before there is a model: in a search the best trial so far is one, later the best epoch so far.
    package func run(
        _ source: some ObservationSource, tuning: Tuner.Request? = nil, folds: Int? = nil,
        resuming: TrainingCheckpoint? = nil,
        checkpoint: TrainingCheckpoint.Keeper = { _ in },
        isCancelled: @escaping @Sendable () -> Bool = { false },
        isMeasuringCancelled: @escaping @Sendable () -> Bool = { false }, progress: (Progress) -> Void = { _ in }
    ) throws -> Outcome {
        try training.validate()
        let reader = DatasetReader(job: self, isCancelled: isCancelled)
        let first = try reader.read(source, scaler: nil, progress)
        progress(
            .dataset(
                observations: first.observations, streams: first.streams, rejects: first.rejects,
                commands: source.commands(first.ledger)))
        try first.checkUsable()
        let dataset = try Dataset(first.series, for: manifest)
        let constant = dataset.constantInputs(manifest)
        if !constant.isEmpty { progress(.constant(constant)) }
        progress(.divided(DataDivision(try DatasetSplit(dataset, training), of: dataset, training)))
        var begun = Begun()
        var (job, own, resumed) = (self, Part?.none, resuming)
        do {
            if let tuning {
                own = try part(first, dataset, source, reader, split: { try DatasetSplit($0, training) }, progress)
                begun.part = own
                job = tuned(try search(tuning, &begun, reader, progress).best)
            }
            for fold in 0..<(folds ?? 0) {
                begun.folds.append(try job.fold(fold, of: folds ?? 0, first, dataset, source, reader, progress))
                progress(.folded(begun.folds[fold]))
            }
            own = try job.part(
                first, dataset, source, reader, split: { try DatasetSplit($0, job.training) }, progress)
            begun.standby = nil
        } catch let error as CancellationError {
            guard let standby = begun.standby, let part = begun.part else { throw error }
            (job, own, resumed) = (tuned(standby.trial), part, standby.checkpoint)
            own?.split = try DatasetSplit(part.dataset, job.training)
        }
        guard let part = own else { throw CancellationError() }
        let isStandby = begun.standby != nil
        let described = try source.describe(part.reading.ledger)
        var result = try Trainer.train(
            part.dataset, manifest: manifest, shape: job.shape, scaler: part.scaler, split: part.split,
            incumbent: incumbent, configuration: job.training, resuming: resumed, checkpoint: checkpoint,
            isCancelled: { isStandby || isCancelled() }, isMeasuringCancelled: isMeasuringCancelled
        ) { progress(.training($0)) }
        if isStandby { result.stop = .cancelled }
        let division = DataDivision(part.split, of: part.dataset, job.training)
        result.model.data = DataManifest(
            files: described.files, topic: described.topic, observations: part.reading.observations,
            streams: part.reading.streams, rejects: part.reading.rejects.mapValues(\.count),
            outOfOrder: division.outOfOrder > 0 ? division.outOfOrder : nil,
            heldOut: DataManifest.HeldOut(part.split, job.training.by))
        result.model.manifest.version = try ModelVersion.version(of: result.model)
        return Outcome(
            result: result, tuning: begun.tuning, standby: begun.standby?.trial, training: job.training,
            folds: begun.folds, constantInputs: constant, division: division,
            streams: part.reading.streams, observations: part.reading.observations, rejects: part.reading.rejects)
    }

    /// What there is before the model's own training.
    private struct Begun {
        /// What was searched in.
        var part: Part?
        var tuning: TuningResult?
        var standby: Tuner.Standby?
        var folds: [FoldResult] = []
    }

    /// The data of one training.
    private struct Part {
        let reading: DatasetReader.Reading
        let dataset: Dataset
        var split: DatasetSplit
        let scaler: Model.Scaler?
    }

    /// With what a search has found.
    private func tuned(_ trial: TuningTrial) -> TrainingJob {
        var own = self
        (own.hidden, own.training) = (trial.hidden, trial.applied(to: training))
        return own
    }

    /// - Parameter begun: with the data to be searched in; takes up what the search comes to, also where it is
    ///   cancelled.
    private func search(
        _ tuning: Tuner.Request, _ begun: inout Begun, _ reader: DatasetReader, _ progress: (Progress) -> Void
    ) throws -> TuningResult {
        guard let part = begun.part else { preconditionFailure("given by the caller") }
        var (record, standby) = (tuning.finished, Tuner.Standby?.none)
        defer {
            begun.standby = standby
            begun.tuning = record.map { TuningResult($0) }
        }
        let request = Tuner.Request(trials: tuning.trials, fixed: tuning.fixed, finished: tuning.finished) {
            record = $0
            try tuning.keep($0)
        }
        let result = try Tuner.search(
            request, part.dataset, manifest: manifest, shape: shape, configuration: training,
            isCancelled: reader.isCancelled, progress: { progress(.tuning($0)) }, standby: { standby = $0 })
        progress(.tuned(result))
        return result
    }

    /// Trains and measures one fold, counted from 0.
    private func fold(
        _ fold: Int, of folds: Int, _ first: DatasetReader.Reading, _ dataset: Dataset,
        _ source: some ObservationSource, _ reader: DatasetReader, _ progress: (Progress) -> Void
    ) throws -> FoldResult {
        let part = try part(
            first, dataset, source, reader, split: { try Folds.splits(folds, of: $0, training)[fold] }, { _ in })
        let result: TrainingResult
        do {
            result = try Trainer.train(
                part.dataset, manifest: manifest, shape: shape, scaler: part.scaler, split: part.split,
                configuration: training, isCancelled: reader.isCancelled, isMeasuringCancelled: reader.isCancelled
            ) { progress(.fold(fold + 1, $0)) }
        } catch let error as SluiceError {
            throw SluiceError(
                error.code, "fold \(fold + 1): \(error.message)",
                remedy: error.code == .invalidInput ? "use fewer --folds, or bring more observations" : error.remedy)
        }
        if result.stop == .cancelled || !result.isMeasured { throw CancellationError() }
        return FoldResult(fold + 1, part.split, result)
    }

    /// The data scaled as the training part of a split says.
    private func part(
        _ first: DatasetReader.Reading, _ dataset: Dataset, _ source: some ObservationSource, _ reader: DatasetReader,
        split: (Dataset) throws -> DatasetSplit, _ progress: (Progress) -> Void
    ) throws -> Part {
        let own = try split(dataset)
        guard manifest.scaling == .global else {
            return Part(reading: first, dataset: dataset, split: own, scaler: nil)
        }
        let scaler = dataset.scaler(of: own, inputs: manifest.inputs.count)
        let again = try reader.read(source, scaler: scaler, progress)
        // A topic may hold other records by now: what is trained on is divided anew.
        let scaled = try Dataset(again.series, for: manifest)
        return Part(reading: again, dataset: scaled, split: try split(scaled), scaler: scaler)
    }
}

extension TrainingConfiguration {
    package init(_ section: TrainSection) {
        self.init()
        carry = section.carry.epochs
        chunk = section.chunk
        rows = section.rows
        order = section.order
        optimizer = section.optimizer
        learningRate = section.learningRate
        momentum = section.momentum
        weightDecay = section.weightDecay
        schedule = section.schedule
        scheduleEpochs = section.scheduleEpochs
        scheduleFactor = section.scheduleFactor
        dropout = section.dropout
        lossAt = section.lossAt
        epochs = section.epochs
        patience = section.patience
        clip = section.clip
        weights = section.weights
        forgetBias = section.forgetBias
        validation = section.validation
        by = section.by
        test = section.test
        seed = section.seed
        threads = section.threads
    }
}
