internal import SluiceLSTM

/// Where each tensor lies in the flat parameters, and in their gradient.
struct NetworkLayout {
    struct Layer {
        let inputs, weightIH, weightHH, biasIH, biasHH: Int
    }

    let shape: LSTMShape
    let layers: [Layer]
    let headWeight, headBias: Int
    /// `initial_state.h [L, H]` and `.c`, where they are parameters.
    let initialH, initialC: Int?
    /// Parameters in all.
    let count: Int

    init(_ parameters: LSTMParameters) {
        shape = parameters.shape
        layers = (0..<shape.layers).map { index in
            let layer = parameters.layer(index)
            return Layer(
                inputs: parameters.shape.inputs(ofLayer: index), weightIH: layer.weightIH.lowerBound,
                weightHH: layer.weightHH.lowerBound, biasIH: layer.biasIH.lowerBound, biasHH: layer.biasHH.lowerBound)
        }
        headWeight = parameters.headWeight.lowerBound
        headBias = parameters.headBias.lowerBound
        initialH = parameters.initialState?.h.lowerBound
        initialC = parameters.initialState?.c.lowerBound
        count = parameters.values.count
    }

    /// `[H]` h and c from which rows of that layer start, where they are parameters.
    func learned(_ parameters: ReadFloats, layer: Int) -> (h: ReadFloats, c: ReadFloats)? {
        guard let initialH, let initialC else { return nil }
        return (parameters + initialH + layer * shape.hidden, parameters + initialC + layer * shape.hidden)
    }
}
