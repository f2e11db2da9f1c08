internal import SluiceLSTM

extension LSTMParameters {
    /// The parameters PyTorch's default distribution would draw: U(−1/√H, 1/√H) for the LSTM and, its fan-in being H
    /// too, for the head. Learned initial states begin at zero.
    ///
    /// - Parameter forgetBias: 1 sets the forget part of `bias_ih` to 1 and of `bias_hh` to 0; 0 changes nothing.
    init(drawnFor shape: LSTMShape, hasInitialState: Bool, forgetBias: Int, seed: UInt64) {
        self.init(shape: shape, hasInitialState: hasInitialState)
        var generator = SeededGenerator(seed: seed, stream: .weights)
        let bound = 1 / Float(shape.hidden).squareRoot()
        for index in 0..<headBias.upperBound { values[index] = generator.uniform(bound) }
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
