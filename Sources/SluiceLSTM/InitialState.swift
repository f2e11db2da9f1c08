/// How initial states are spread about zero, or about the learned state.
public enum InitialDistribution: Sendable, Equatable {
    case fixed
    case normal(deviation: Float)
    case uniform(Float, Float)

    public var isRandom: Bool { self != .fixed }

    /// Of h and c alike.
    public var mean: Float {
        switch self {
        case .fixed, .normal: 0
        case .uniform(let low, let high): low + (high - low) / 2
        }
    }
}

extension ModelManifest {
    /// `initial_state_deviation` and `initial_state_range` where the manifest has none; the range is `torch.rand`'s.
    public static let (defaultDeviation, defaultRange) = (0.1, [0.0, 1.0])

    /// Whether service draws initial states too, where else it takes their mean.
    public var drawsInService: Bool { initialStateNoise == true && initialDistribution.isRandom }

    public var initialDistribution: InitialDistribution {
        switch initialState {
        case .zero, .learned: return .fixed
        case .normal, .learnedNoise:
            return .normal(deviation: Float(initialStateDeviation ?? Self.defaultDeviation))
        case .uniform:
            let range = initialStateRange ?? Self.defaultRange
            return .uniform(Float(range[0]), Float(range[1]))
        }
    }
}

/// The draws of a random initial state (`training.md`, "Initial states"): each depends on the seed, its key, the layer,
/// h or c, and the unit alone, never on what was drawn before it.
public struct InitialDraws: Sendable {
    /// Whose state is drawn, and which of its states.
    public struct Key: Sendable, Equatable {
        /// 0 in service, which has no epochs; from 1 on in training.
        public var epoch: UInt64
        /// XXH64 of the stream's raw key.
        public var stream: UInt64
        /// Resets since the stream's creation.
        public var ordinal: UInt64

        public init(epoch: UInt64 = 0, stream: UInt64, ordinal: UInt64) {
            self.epoch = epoch
            self.stream = stream
            self.ordinal = ordinal
        }
    }

    private let distribution: InitialDistribution
    private let generator: SeededGenerator

    /// nil where the initial state is not random.
    public init?(_ manifest: ModelManifest, seed: UInt64) {
        distribution = manifest.initialDistribution
        guard distribution.isRandom else { return nil }
        generator = SeededGenerator(seed: seed, stream: .initialState)
    }

    /// Adds what is drawn about the mean to h and c of a layer, `[count]` each.
    public func add(
        to h: UnsafeMutablePointer<Float>, _ c: UnsafeMutablePointer<Float>, count: Int, layer: Int, _ key: Key
    ) {
        let stream = generator.forked(key.epoch).forked(key.stream).forked(key.ordinal)
        for (part, values) in [h, c].enumerated() {
            let draws = stream.forked(UInt64(2 * layer + part))
            for unit in 0..<count {
                var draw = draws.forked(UInt64(unit))
                switch distribution {
                case .fixed: break
                case .normal(let deviation): values[unit] += deviation * draw.normal()
                case .uniform(let low, let high): values[unit] += (high - low) / 2 * draw.uniform(1)
                }
            }
        }
    }
}

/// What h and c are at a boundary in service: the learned state or the mean of the distribution, or with
/// `initial_state_noise` a draw for each stream and reset.
public struct InitialStates: Sendable {
    /// `[L][h, c][Hp]` with zero padding.
    public let mean: [Float]
    private let shape: LSTMShape
    private let draws: InitialDraws?

    public init(_ model: Model) {
        let manifest = model.manifest
        shape = model.parameters.shape
        mean = model.meanInitialState
        draws = manifest.drawsInService ? InitialDraws(manifest, seed: manifest.seed ?? 0) : nil
    }

    /// The same state always: `mean`, `[L][h, c][Hp]`.
    public init(_ mean: [Float], shape: LSTMShape) {
        (self.mean, self.shape, draws) = (mean, shape, nil)
    }

    /// Whether each boundary has a state of its own.
    public var isDrawn: Bool { draws != nil }

    /// Makes `state`, `[L][h, c][Hp]`, the one of a key's.
    public func draw(_ state: UnsafeMutablePointer<Float>, _ key: InitialDraws.Key) {
        state.update(from: mean, count: mean.count)
        guard let draws else { return }
        for layer in 0..<shape.layers {
            let h = state + 2 * layer * shape.paddedHidden
            draws.add(to: h, h + shape.paddedHidden, count: shape.hidden, layer: layer, key)
        }
    }
}

extension Model {
    /// `[L][h, c][Hp]` with zero padding: the learned state or the mean of the distribution.
    fileprivate var meanInitialState: [Float] {
        let shape = parameters.shape
        var state = [Float](repeating: 0, count: shape.stateFloats)
        let learned = parameters.initialState
        let mean = manifest.initialDistribution.mean
        for layer in 0..<shape.layers {
            for unit in 0..<shape.hidden {
                let source = layer * shape.hidden + unit
                let target = 2 * layer * shape.paddedHidden + unit
                state[target] = learned.map { parameters.values[$0.h.lowerBound + source] } ?? mean
                state[target + shape.paddedHidden] = learned.map { parameters.values[$0.c.lowerBound + source] } ?? mean
            }
        }
        return state
    }
}
