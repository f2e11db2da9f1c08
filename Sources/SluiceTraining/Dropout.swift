internal import SluiceLSTM

/// Dropout between layers as `nn.LSTM` has it: what a layer hands up is zero with probability p, else divided by 1 − p;
/// what it hands on in time is left alone. Off in evaluation.
///
/// The mask of an observation is drawn for (seed, epoch, stream, row, layer, unit) alone: neither the arrangement of
/// batches nor an interruption of training changes it.
struct Dropout {
    private let generator: SeededGenerator
    private let threshold: UInt64
    private let kept: Float

    init(rate: Double, seed: UInt64) {
        generator = SeededGenerator(seed: seed, stream: .dropout)
        threshold = UInt64((rate * 0x1p53).rounded())
        kept = Float(1 / (1 - rate))
    }

    /// - Parameters:
    ///   - masks: `[L − 1, H]`, of each layer but the last: filled with factors.
    ///   - count: (L − 1) · H.
    func fill(_ masks: Floats, count: Int, series: Int, row: Int, epoch: Int) {
        var draws = generator.forked(UInt64(epoch)).forked(UInt64(series)).forked(UInt64(row))
        for index in 0..<count { masks[index] = draws.next() >> 11 < threshold ? 0 : kept }
    }
}
