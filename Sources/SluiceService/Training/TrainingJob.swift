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
        /// All is read; rejects by code, with the first message of each.
        case dataset(observations: Int, streams: Int, rejects: [String: (count: Int, message: String)])
        case tuning(Tuner.Progress)
        case tuned(TuningResult)
        case training(TrainingProgress)
    }

    package struct Outcome: Sendable {
        package var result: TrainingResult
        /// The settings that it was trained with.
        package var training: TrainingConfiguration
        package var streams: Int
        package var observations: Int
        /// Observations that could not be used, by reject code, with the first message of each.
        package var rejects: [String: (count: Int, message: String)]
    }

    package let configuration: Configuration
    package let training: TrainingConfiguration

    /// A model to be measured on the same validation rows.
    private let incumbent: Model?

    /// - Parameter isRetraining: whether the carry policy is that of `retrain`.
    package init(_ configuration: Configuration, isRetraining: Bool = false, incumbent: Model? = nil) {
        self.configuration = configuration
        self.incumbent = incumbent
        var training = TrainingConfiguration(configuration.train)
        if isRetraining { training.carry = configuration.retrain.carry.epochs }
        self.training = training
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
            initialStateRange: initial == .uniform ? model.initialStateRange : nil, scaling: model.scaling,
            classes: model.classes, seed: initial == .zero || initial == .learned ? nil : training.seed,
            warmup: model.warmup == 0 ? nil : model.warmup)
    }

    package var shape: LSTMShape {
        LSTMShape(
            inputs: manifest.inputs.count, hidden: configuration.model.hidden, layers: configuration.model.layers,
            outputs: manifest.outputs)
    }

    /// Reads the source (twice for `scaling: global`, which must know all values before it scales one) and trains.
    ///
    /// - Parameter tuning: a search beforehand, whose best trial takes the place of what is configured.
    /// - Throws: what is wrong with the source, the data or the configuration; `CancellationError` where it is
    ///   cancelled while it reads or searches.
    package func run(
        _ source: some ObservationSource, tuning: Tuner.Request? = nil, resuming: TrainingCheckpoint? = nil,
        checkpoint: TrainingCheckpoint.Keeper = { _ in },
        isCancelled: @escaping @Sendable () -> Bool = { false }, progress: (Progress) -> Void = { _ in }
    ) throws -> Outcome {
        var manifest = manifest
        try training.validate()
        var scaler: Model.Scaler?
        if manifest.scaling == .global {
            var measure = GlobalScaler(inputs: manifest.inputs.count)
            manifest.scaling = .none
            try read(source, manifest, nil, isCancelled, progress) { input in measure.add(input) }
            manifest.scaling = .global
            scaler = measure.scaler
        }
        var (series, observations, rejects) = try read(source, manifest, scaler, isCancelled, progress)
        series.removeAll { $0.count == 0 }
        progress(.dataset(observations: observations, streams: series.count, rejects: rejects))
        let dataset = try Dataset(series, for: manifest)
        var (shape, training) = (shape, training)
        if let tuning {
            let tuned = try Tuner.search(
                tuning, dataset, manifest: manifest, shape: shape, configuration: training, isCancelled: isCancelled
            ) { progress(.tuning($0)) }
            progress(.tuned(tuned))
            (shape, training) = (tuned.best.applied(to: shape), tuned.best.applied(to: training))
        }
        let result = try Trainer.train(
            dataset, manifest: manifest, shape: shape, scaler: scaler, incumbent: incumbent, configuration: training,
            resuming: resuming, checkpoint: checkpoint, isCancelled: isCancelled
        ) { progress(.training($0)) }
        return Outcome(
            result: result.named { ModelVersion.version(of: $0) }, training: training, streams: series.count,
            observations: observations, rejects: rejects)
    }

    @discardableResult
    private func read(
        _ source: some ObservationSource, _ manifest: ModelManifest, _ scaler: Model.Scaler?,
        _ isCancelled: () -> Bool, _ progress: (Progress) -> Void, each: ((UnsafePointer<Float>) -> Void)? = nil
    ) throws -> (series: [TrainingSeries], observations: Int, rejects: [String: (count: Int, message: String)]) {
        let model = Model(manifest: manifest, parameters: LSTMParameters(shape: shape), scaler: scaler)
        var builder: DatasetBuilder?
        var rejects: [String: (count: Int, message: String)] = [:]
        var read = 0
        try source.forEach { batch in
            if builder == nil || batch.format != nil {
                // Each CSV file brings its own columns.
                let input = try configuration.inputSpecification(
                    source.kind, for: manifest.inputs, fileFormat: batch.format)
                if builder == nil {
                    builder = try DatasetBuilder(try configuration.foldSpecification(model), input: input)
                } else {
                    try builder?.change(input)
                }
            }
            func reject(_ code: RejectCode, _ message: String) {
                rejects[code.text] = ((rejects[code.text]?.count ?? 0) + 1, rejects[code.text]?.message ?? message)
            }
            for record in batch.records {
                if let code = builder?.append(record, each: each) { reject(code, builder?.message(for: code) ?? "") }
            }
            for refusal in batch.refused { reject(refusal.code, refusal.message) }
            if isCancelled() { throw CancellationError() }
            read += batch.records.count + batch.refused.count
            progress(.reading(observations: read, share: batch.share))
        }
        let observations = builder?.observations ?? 0
        return (builder.take()?.finish() ?? [], observations, rejects)
    }
}

/// Means and deviations of each input over all streams, for `scaling: global`.
struct GlobalScaler {
    private var counts: [Double]
    private var means: [Double]
    private var squares: [Double]

    init(inputs: Int) {
        counts = Array(repeating: 0, count: inputs)
        means = counts
        squares = counts
    }

    /// Takes one observation in `[I]`; NaN is missing.
    mutating func add(_ features: UnsafePointer<Float>) {
        for input in counts.indices where !features[input].isNaN {
            counts[input] += 1
            let d = Double(features[input]) - means[input]
            means[input] += d / counts[input]
            squares[input] += d * (Double(features[input]) - means[input])
        }
    }

    var scaler: Model.Scaler {
        Model.Scaler(
            mean: means.map { Float($0) },
            scale: zip(squares, counts).map { square, count in
                let scale = count > 0 ? Float((square / count).squareRoot()) : 0
                return scale > 0 ? scale : 1
            })
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
