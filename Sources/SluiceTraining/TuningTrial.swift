internal import Glibc
internal import SluiceCore
package import SluiceLSTM

/// What a search may vary.
package enum TuningDimension: String, Sendable, CaseIterable {
    case chunk, hidden, carry
    case learningRate = "learning_rate"
}

/// One configuration of a search: what takes the place of those settings.
package struct TuningTrial: Codable, Sendable, Equatable {
    /// How many a search may have.
    package static let countRange = 1...1_000
    /// What is drawn from, each value as likely as any other.
    package static let chunks = [16, 32, 64, 128, 256]
    package static let hiddenFactors = [0.25, 0.5, 1, 2]
    /// Log-uniform, rounded to two digits, so that what is printed is what was trained with.
    package static let learningRates = 1e-4...1e-2

    /// Counted from 1.
    package let number: Int
    package let chunk: Int
    package let hidden: Int
    package let learningRate: Double
    /// Of all epochs.
    package let carry: CarryPolicy

    package init(number: Int, chunk: Int, hidden: Int, learningRate: Double, carry: CarryPolicy) {
        self.number = number
        self.chunk = chunk
        self.hidden = hidden
        self.learningRate = learningRate
        self.carry = carry
    }

    /// Draws it: the same for a number and a seed, however many there are and whichever ran before.
    ///
    /// - Parameter hidden: what the factors multiply, `model.hidden`.
    package init(number: Int, around hidden: Int, seed: UInt64) {
        var generator = SeededGenerator(seed: seed, stream: .tuning, index: number)
        self.number = number
        chunk = generator.element(of: Self.chunks)
        self.hidden = Self.hidden(hidden, times: generator.element(of: Self.hiddenFactors))
        carry = generator.element(of: CarryPolicy.allCases)
        // The middle of the range is 10⁻³; u in [-1, 1) is how many tenfolds from there.
        let u = Double(generator.uniform(1))
        let tenths = (10 * pow(10, u < 0 ? u + 1 : u)).rounded()
        learningRate = tenths / (u < 0 ? 100_000 : 10_000)
    }

    package static func hidden(_ hidden: Int, times factor: Double) -> Int {
        min(Limits.hidden, max(1, Int((Double(hidden) * factor).rounded())))
    }

    /// With what is given in place of what was drawn: the rest is as in a search of everything.
    func fixing(
        _ fixed: Set<TuningDimension>, _ configuration: TrainingConfiguration, hidden: Int
    ) -> TuningTrial {
        TuningTrial(
            number: number, chunk: fixed.contains(.chunk) ? configuration.chunk : chunk,
            hidden: fixed.contains(.hidden) ? hidden : self.hidden,
            learningRate: fixed.contains(.learningRate) ? configuration.learningRate : learningRate,
            carry: fixed.contains(.carry) ? configuration.carry[0] : carry)
    }

    package func applied(to configuration: TrainingConfiguration) -> TrainingConfiguration {
        var own = configuration
        (own.chunk, own.learningRate, own.carry) = (chunk, learningRate, [carry])
        return own
    }

    package func applied(to shape: LSTMShape) -> LSTMShape {
        LSTMShape(inputs: shape.inputs, hidden: hidden, layers: shape.layers, outputs: shape.outputs)
    }
}

extension SeededGenerator {
    fileprivate mutating func element<T>(of values: [T]) -> T { values[index(below: values.count)] }
}
