internal import SluiceLSTM

extension LSTMParameters {
    /// Parameters to begin with. Learned initial states begin at zero.
    ///
    /// - `pytorch`: what PyTorch draws by default: U(−1/√H, 1/√H) for the LSTM and, its fan-in being H too, the head.
    /// - `xavier`, `kaiming`, `orthogonal`: `xavier_uniform_`, `kaiming_uniform_` and `orthogonal_` of `torch.nn.init`
    ///   with their defaults, biases 0. Each gate is a matrix of its own, `[H, I]` or `[H, H]`: its fan-out is H, not
    ///   the 4H of the tensor that PyTorch happens to stack them in.
    ///
    /// - Parameter forgetBias: 1 sets the forget part of `bias_ih` to 1 and of `bias_hh` to 0; 0 changes nothing.
    init(
        drawnFor shape: LSTMShape, hasInitialState: Bool, weights: WeightInitialization = .pytorch, forgetBias: Int,
        seed: UInt64
    ) {
        self.init(shape: shape, hasInitialState: hasInitialState)
        var generator = SeededGenerator(seed: seed, stream: .weights)
        if weights == .pytorch {
            let bound = 1 / Float(shape.hidden).squareRoot()
            for index in 0..<headBias.upperBound { values[index] = generator.uniform(bound) }
        } else {
            for tensor in tensors where tensor.name.contains("weight") {
                let gates = tensor.range == headWeight ? 1 : 4
                let (rows, columns) = (tensor.shape[0] / gates, tensor.shape[1])
                for gate in 0..<gates {
                    let start = tensor.range.lowerBound + gate * rows * columns
                    values.replaceSubrange(
                        start..<start + rows * columns, with: weights.matrix(rows, columns, &generator))
                }
            }
        }
        guard forgetBias == 1 else { return }
        for index in 0..<shape.layers {
            let layer = layer(index)
            for unit in shape.hidden..<(2 * shape.hidden) {
                values[layer.biasIH.lowerBound + unit] = 1
                values[layer.biasHH.lowerBound + unit] = 0
            }
        }
    }
}

extension WeightInitialization {
    /// `[rows, columns]`: to as many units as rows, from as many as columns.
    fileprivate func matrix(_ rows: Int, _ columns: Int, _ generator: inout SeededGenerator) -> [Float] {
        let bound: Double
        switch self {
        case .pytorch: bound = (1 / Double(rows)).squareRoot()
        case .xavier: bound = (6 / Double(rows + columns)).squareRoot()
        case .kaiming: bound = (6 / Double(columns)).squareRoot()
        case .orthogonal: return Self.orthogonal(rows, columns, &generator)
        }
        return (0..<rows * columns).map { _ in generator.uniform(Float(bound)) }
    }

    /// Orthonormal columns, or rows where there are fewer of them: the Q of normal draws, by modified Gram and Schmidt
    /// in double, twice, which is enough.
    private static func orthogonal(_ rows: Int, _ columns: Int, _ generator: inout SeededGenerator) -> [Float] {
        let (vectors, length) = (min(rows, columns), max(rows, columns))
        var basis: [[Double]] = []
        while basis.count < vectors {
            var vector = (0..<length).map { _ in Double(generator.normal()) }
            for _ in 0..<2 {
                for other in basis {
                    let product = zip(vector, other).reduce(0) { $0 + $1.0 * $1.1 }
                    for index in 0..<length { vector[index] -= product * other[index] }
                }
            }
            let norm = vector.reduce(0) { $0 + $1 * $1 }.squareRoot()
            // A draw within the span of the others, all but impossible, is drawn again.
            if norm > 1e-6 { basis.append(vector.map { $0 / norm }) }
        }
        return (0..<rows * columns).map { index in
            let (row, column) = (index / columns, index % columns)
            return Float(rows < columns ? basis[row][column] : basis[column][row])
        }
    }
}
