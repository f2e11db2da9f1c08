internal import ArgumentParser
internal import SluiceConfiguration

/// The entries of `train:` as flags. The configuration checks them, as it checks its file, and fills in what is left.
struct TrainFlags: ParsableArguments {
    @Option(
        help: """
            A carry policy, see above; or one per epoch: 'per-batch x5, across-batches'. (default: across-batches)
            """)
    var carry: String?

    @Option(help: "Times through the data at most. (default: 20)")
    var epochs: String?

    @Option(help: "Steps of a chunk: how far back the gradient reaches. (default: 64)")
    var chunk: String?

    @Option(help: "Rows of a batch. (default: 32)")
    var rows: String?

    @Option(
        help: """
            Rows across batches: lanes, each with a stream of its own, shuffled; strided, chunk k of the data in row \
            k mod rows, as Keras with shuffle=False. (default: lanes)
            """)
    var order: String?

    @Option(help: "adam, adamw, sgd or rmsprop, as in PyTorch. (default: adam)")
    var optimizer: String?

    @Option(help: "Learning rate. (default: 0.001)")
    var learningRate: String?

    @Option(help: "Momentum of sgd. (default: 0.9)")
    var momentum: String?

    @Option(help: "Weight decay. (default: 0.01 of adamw, else 0)")
    var weightDecay: String?

    @Option(help: "The learning rate: constant, step, cosine or reduce-on-plateau. (default: constant)")
    var schedule: String?

    @Option(help: "Epochs between two steps, or without improvement before a reduction. (default: 5)")
    var scheduleEpochs: String?

    @Option(help: "What a step or a plateau multiplies the rate by. (default: 0.5)")
    var scheduleFactor: String?

    @Option(help: "Share of the outputs between layers that is dropped in training. (default: 0)")
    var dropout: String?

    @Option(help: "every or last: the steps of a sequence whose loss counts. (default: every)")
    var lossAt: String?

    @Option(help: "Epochs without improvement before it stops; 0: it does not. (default: 10)")
    var patience: String?

    @Option(help: "Largest norm of a gradient; 0: no clipping. (default: 1)")
    var clip: String?

    @Option(help: "How weights are drawn: pytorch, xavier, kaiming or orthogonal. (default: pytorch)")
    var weights: String?

    @Option(help: "0 or 1: the bias of the forget gate at the start. (default: 0)")
    var forgetBias: String?

    @Option(help: "Share of the data held out for validation. (default: 0.15)")
    var validation: String?

    @Option(help: "time or stream: hold out the last part in time, or whole streams. (default: time)")
    var by: String?

    @Option(help: "Share of the data held out for a test at the end. (default: 0)")
    var test: String?

    @Option(help: "Fixes every draw: the same seed gives the same file. (default: 0)")
    var seed: String?

    @Option(help: "Threads. (default: all cores)")
    var threads: String?

    var settings: [(path: String, value: String)] {
        let given: [(String, String?)] = [
            ("carry", carry), ("epochs", epochs), ("chunk", chunk), ("rows", rows), ("order", order),
            ("optimizer", optimizer), ("learning_rate", learningRate), ("momentum", momentum),
            ("weight_decay", weightDecay), ("schedule", schedule), ("schedule_epochs", scheduleEpochs),
            ("schedule_factor", scheduleFactor), ("dropout", dropout), ("loss_at", lossAt),
            ("patience", patience), ("clip", clip), ("weights", weights), ("forget_bias", forgetBias),
            ("validation", validation), ("by", by), ("test", test), ("seed", seed), ("threads", threads),
        ]
        return given.compactMap { name, value in value.map { ("train.\(name)", $0) } }
    }
}

/// The shape of the model, as flags.
struct ModelFlags: ParsableArguments {
    @Option(help: "Units of each layer. (default: 64)")
    var hidden: String?

    @Option(help: "Layers, 1 to 4. (default: 1)")
    var layers: String?

    @Option(help: "point, gaussian, quantile, binary or categorical. (default: quantile)")
    var head: String?

    @Option(help: "Features to forecast, such as temperature,load. (default: the first)")
    var targets: String?

    @Option(help: "Observations ahead, such as 1,6,12. (default: 1,6,12)")
    var horizons: String?

    @Option(help: "Of a quantile head, such as 0.1,0.5,0.9. (default: 0.1,0.5,0.9)")
    var quantiles: String?

    @Option(help: "Of a categorical head. (default: 3)")
    var classes: String?

    @Option(help: "none, global or per-stream. (default: per-stream)")
    var scaling: String?

    @Option(help: "The state after a boundary: zero, normal, uniform, learned or learned+noise. (default: zero)")
    var initialState: String?

    @Option(help: "Deviation of normal and learned+noise. (default: 0.1)")
    var initialStateDeviation: String?

    @Option(help: "Range of uniform. (default: 0,1)")
    var initialStateRange: String?

    @Option(help: "true: draw random initial states in service too, where else their mean is taken. (default: false)")
    var initialStateNoise: String?

    var settings: [(path: String, value: String)] {
        let given: [(String, String?)] = [
            ("hidden", hidden), ("layers", layers), ("head", head), ("targets", targets), ("horizons", horizons),
            ("quantiles", quantiles), ("classes", classes), ("scaling", scaling), ("initial_state", initialState),
            ("initial_state_deviation", initialStateDeviation), ("initial_state_range", initialStateRange),
            ("initial_state_noise", initialStateNoise),
        ]
        return given.compactMap { name, value in value.map { ("model.\(name)", $0) } }
    }
}
