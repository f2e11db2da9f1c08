internal import SluiceLSTM

/// The carried states of training, or of one evaluation: never shared between the two.
final class LaneStates {
    private let block: FloatBlock
    private let base: Floats
    private let shape: LSTMShape

    /// `[lanes][L][h, c][H]`, all zero.
    init(shape: LSTMShape, lanes: Int) {
        self.shape = shape
        block = FloatBlock(parts: [lanes * 2 * shape.layers * shape.hidden])
        base = block.take(lanes * 2 * shape.layers * shape.hidden)
    }

    func h(lane: Int, layer: Int) -> Floats { base + 2 * (lane * shape.layers + layer) * shape.hidden }
    func c(lane: Int, layer: Int) -> Floats { h(lane: lane, layer: layer) + shape.hidden }
}
