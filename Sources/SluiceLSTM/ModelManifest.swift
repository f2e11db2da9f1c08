/// What the head's outputs mean.
public enum HeadKind: String, Codable, Sendable, CaseIterable {
    case point, gaussian, quantile, binary, categorical

    /// Whether the head answers with probabilities of labels instead of forecasts of targets.
    public var classifies: Bool { self == .binary || self == .categorical }
}

/// How features become the network's inputs (`training.md`, "Scaling").
public enum ScalingKind: String, Codable, Sendable, CaseIterable {
    case none, global
    case perStream = "per-stream"
}

/// What h and c return to at a boundary (`training.md`, "Initial states").
public enum InitialStateKind: String, Codable, Sendable, CaseIterable {
    case zero, normal, uniform, learned
    case learnedNoise = "learned+noise"

    public var isLearned: Bool { self == .learned || self == .learnedNoise }
}

/// The JSON under the metadata key `sluice.model` of a model file; names as in the file.
public struct ModelManifest: Codable, Sendable, Equatable {
    public var format: Int
    public var name: String
    public var version: String
    public var inputs: [String]
    public var targets: [String]
    public var horizons: [Int]
    public var head: HeadKind
    public var quantiles: [Double]
    public var initialState: InitialStateKind
    public var scaling: ScalingKind
    /// Categorical heads only.
    public var classes: Int?
    /// Of `normal` and `learned+noise`.
    public var initialStateDeviation: Double?
    /// Of `uniform`: low, high.
    public var initialStateRange: [Double]?
    /// Random initial states are drawn in service and evaluation too; absent is false.
    public var initialStateNoise: Bool?
    /// Seed of random initial states.
    public var seed: UInt64?
    /// Steps since the boundary before a prediction counts as warm, besides the scaler's own; absent is 0.
    public var warmup: Int?

    public enum CodingKeys: String, CodingKey {
        case format, name, version, inputs, targets, horizons, head, quantiles
        case initialState = "initial_state"
        case initialStateDeviation = "initial_state_deviation"
        case initialStateRange = "initial_state_range"
        case initialStateNoise = "initial_state_noise"
        case scaling, classes, seed, warmup
    }

    public init(
        name: String, version: String, inputs: [String], targets: [String], horizons: [Int] = [1],
        head: HeadKind = .point, quantiles: [Double] = [], initialState: InitialStateKind = .zero,
        initialStateDeviation: Double? = nil, initialStateRange: [Double]? = nil,
        initialStateNoise: Bool? = nil, scaling: ScalingKind = .none, classes: Int? = nil, seed: UInt64? = nil,
        warmup: Int? = nil
    ) {
        self.format = 1
        self.name = name
        self.version = version
        self.inputs = inputs
        self.targets = targets
        self.horizons = horizons
        self.head = head
        self.quantiles = quantiles
        self.initialState = initialState
        self.initialStateDeviation = initialStateDeviation
        self.initialStateRange = initialStateRange
        self.initialStateNoise = initialStateNoise
        self.scaling = scaling
        self.classes = classes
        self.seed = seed
        self.warmup = warmup
    }

    /// Outputs of one target and horizon: 1 for point, 2 for gaussian (mean, log-variance), one per quantile.
    public var outputsPerForecast: Int {
        switch head {
        case .point, .binary: 1
        case .gaussian: 2
        case .quantile: quantiles.count
        case .categorical: classes ?? 0
        }
    }

    /// O: outputs are ordered target-major, then horizon, then quantile (or mean, log-variance).
    public var outputs: Int {
        head.classifies ? outputsPerForecast : targets.count * horizons.count * outputsPerForecast
    }
}

/// A model: what it is, its parameters, and the scaler of `scaling: global`.
public struct Model: Sendable, Equatable {
    /// Means and scales of the inputs, `[I]` each.
    public struct Scaler: Sendable, Equatable {
        public var mean: [Float]
        public var scale: [Float]

        public init(mean: [Float], scale: [Float]) {
            self.mean = mean
            self.scale = scale
        }
    }

    public var manifest: ModelManifest
    public var parameters: LSTMParameters
    public var scaler: Scaler?
    /// What it was trained on, where that is known.
    public var data: DataManifest?
    /// SHA-256 of the model file's bytes, lower-case hexadecimal; stamps snapshots. Empty before the model is saved.
    public var hash: String

    public init(
        manifest: ModelManifest, parameters: LSTMParameters, scaler: Scaler? = nil, data: DataManifest? = nil,
        hash: String = ""
    ) {
        self.manifest = manifest
        self.parameters = parameters
        self.scaler = scaler
        self.data = data
        self.hash = hash
    }
}
