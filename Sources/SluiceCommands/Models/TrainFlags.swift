internal import ArgumentParser
internal import SluiceConfiguration

/// The entries of `train:` and `model:` as flags. The configuration checks them, as it checks its file.
struct TrainFlags: ParsableArguments {
    @Option(help: "What happens to the state between batches, see above; or per epoch: 'per-batch x5, across-batches'.")
    var carry: String?

    @Option(help: "Times through the data at most.")
    var epochs: String?

    @Option(help: "Steps of a chunk: how far back the gradient reaches.")
    var chunk: String?

    @Option(help: "Rows of a batch.")
    var rows: String?

    @Option(help: "lanes or strided: which chunk goes into which row.")
    var order: String?

    @Option(help: "sgd, adam, adamw or rmsprop.")
    var optimizer: String?

    @Option(help: "Learning rate.")
    var learningRate: String?

    @Option(help: "constant, step, cosine or reduce-on-plateau.")
    var schedule: String?

    @Option(help: "every or last: the steps of a sequence whose loss counts.")
    var lossAt: String?

    @Option(help: "Epochs without improvement before it stops; 0: it does not.")
    var patience: String?

    @Option(help: "Largest norm of a gradient; 0: no clipping.")
    var clip: String?

    @Option(help: "pytorch, xavier, kaiming or orthogonal: how weights are drawn.")
    var weights: String?

    @Option(help: "0 or 1: the bias of the forget gate at the start.")
    var forgetBias: String?

    @Option(help: "Share of the data held out for validation.")
    var validation: String?

    @Option(help: "time or stream: hold out the last part in time, or whole streams.")
    var by: String?

    @Option(help: "Share of the data held out for a test at the end.")
    var test: String?

    @Option(help: "Fixes every draw; the same seed and threads give the same file.")
    var seed: String?

    @Option(help: "Threads; all cores by default.")
    var threads: String?

    var settings: [(path: String, value: String)] {
        let given: [(String, String?)] = [
            ("carry", carry), ("epochs", epochs), ("chunk", chunk), ("rows", rows), ("order", order),
            ("optimizer", optimizer), ("learning_rate", learningRate), ("schedule", schedule), ("loss_at", lossAt),
            ("patience", patience), ("clip", clip), ("weights", weights), ("forget_bias", forgetBias),
            ("validation", validation), ("by", by), ("test", test), ("seed", seed), ("threads", threads),
        ]
        return given.compactMap { name, value in value.map { ("train.\(name)", $0) } }
    }
}

/// The shape of the model, as flags.
struct ModelFlags: ParsableArguments {
    @Option(help: "Units of each layer.")
    var hidden: String?

    @Option(help: "Layers, 1 to 4.")
    var layers: String?

    @Option(help: "point, gaussian, quantile, binary or categorical.")
    var head: String?

    @Option(help: "Features to forecast, such as temperature,load; by default the first.")
    var targets: String?

    @Option(help: "Observations ahead, such as 1,6,12.")
    var horizons: String?

    @Option(help: "Of a quantile head, such as 0.1,0.5,0.9.")
    var quantiles: String?

    @Option(help: "Of a categorical head.")
    var classes: String?

    @Option(help: "none, global or per-stream.")
    var scaling: String?

    @Option(help: "zero or learned: the state after a boundary.")
    var initialState: String?

    var settings: [(path: String, value: String)] {
        let given: [(String, String?)] = [
            ("hidden", hidden), ("layers", layers), ("head", head), ("targets", targets), ("horizons", horizons),
            ("quantiles", quantiles), ("classes", classes), ("scaling", scaling), ("initial_state", initialState),
        ]
        return given.compactMap { name, value in value.map { ("model.\(name)", $0) } }
    }
}
