/// How initial states are spread about zero, or about the learned state.
package enum InitialDistribution: Sendable, Equatable {
    case fixed
    case normal(deviation: Float)
    case uniform(Float, Float)

    package var isRandom: Bool { self != .fixed }

    /// Of h and c alike.
    package var mean: Float {
        switch self {
        case .fixed, .normal: 0
        case .uniform(let low, let high): low + (high - low) / 2
        }
    }
}

extension ModelManifest {
    /// `initial_state_deviation` and `initial_state_range` where the manifest has none; the range is `torch.rand`'s.
    package static let (defaultDeviation, defaultRange) = (0.1, [0.0, 1.0])

    package var initialDistribution: InitialDistribution {
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

extension Model {
    /// The state at a boundary in service and evaluation, `[L][h, c][Hp]` with zero padding: the learned state or the
    /// mean of the distribution (`training.md`, "Initial states").
    package var initialState: [Float] {
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
