internal import SluiceLSTM

/// Dropout between layers as `nn.LSTM` has it: what a layer hands up is zero with probability p, else divided by 1 − p;
/// what it hands on in time is left alone. Off in evaluation.
///
/// The mask of an observation is drawn for (seed, epoch, stream, row, layer, unit) alone: neither the arrangement of
/// batches nor an interruption of training changes it.
final class Dropout {
    private let generator: SeededGenerator
    private let threshold: UInt64
    private let kept: Float
    private let hidden: Int
    private let block: FloatBlock
    /// `[P, H]` of each layer but the last: factors, and the outputs times them.
    private let masks: [Floats]
    let outputs: [Floats]

    /// - Parameters:
    ///   - steps: P of the largest batch.
    ///   - epoch: which the draws depend on.
    init(rate: Double, seed: UInt64, shape: LSTMShape, steps: Int) {
        generator = SeededGenerator(seed: seed, stream: .dropout)
        threshold = UInt64((rate * 0x1p53).rounded())
        kept = Float(1 / (1 - rate))
        hidden = shape.hidden
        let count = steps * shape.hidden
        let block = FloatBlock(parts: [Int](repeating: count, count: 2 * (shape.layers - 1)))
        self.block = block
        masks = (1..<shape.layers).map { _ in block.take(count) }
        outputs = (1..<shape.layers).map { _ in block.take(count) }
    }

    func draw(for batch: PackedBatch, epoch: Int) {
        let generator = generator.forked(UInt64(epoch))
        for (j, row) in batch.rows.enumerated() {
            let stream = generator.forked(UInt64(row.segment.series))
            for (step, index) in row.rows.enumerated() {
                var draws = stream.forked(UInt64(index))
                for mask in masks {
                    let place = mask + (batch.offsets[step] + j) * hidden
                    for unit in 0..<hidden { place[unit] = draws.next() >> 11 < threshold ? 0 : kept }
                }
            }
        }
    }

    /// Fills `outputs` of a layer from its h.
    func forward(layer: Int, h: ReadFloats, rows: Int) {
        let (mask, out) = (masks[layer], outputs[layer])
        for index in 0..<rows * hidden { out[index] = mask[index] * h[index] }
    }

    /// From the gradient of a layer's `outputs` to that of its h, in place.
    func backward(layer: Int, gradient: Floats, rows: Int) {
        let mask = masks[layer]
        for index in 0..<rows * hidden { gradient[index] *= mask[index] }
    }
}
