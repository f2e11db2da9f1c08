public import SluiceLSTM

/// Where the parts of a slot lie in its one contiguous block.
///
/// `state [L][h, c][Hp] Float`, then the scalar block: header, `mean [I]` and `variance [I]` Double, `carried [I]`
/// Float, `count [I]` UInt16; then the ring of pending forecasts `[R][T] (value, width)` Float. Blocks are multiples
/// of 16 bytes: the step's loads need no alignment, and whole cache lines would be 24 bytes more a stream on average.
public struct SlotLayout: Sendable, Equatable {
    public let shape: LSTMShape
    /// T: targets of a forecasting head, 0 otherwise.
    public let targets: Int
    /// R: pending forecasts kept.
    public let ringLength: Int

    public let stateBytes: Int
    public let meanOffset: Int
    public let varianceOffset: Int
    public let carriedOffset: Int
    public let countOffset: Int
    /// Bytes of header and statistics, what one observation changes outside state and ring.
    public let scalarBytes: Int
    public let ringOffset: Int
    public let ringBytes: Int
    /// Bytes from one slot to the next.
    public let stride: Int

    public init(shape: LSTMShape, targets: Int, ringLength: Int) {
        self.shape = shape
        self.targets = targets
        self.ringLength = ringLength
        stateBytes = shape.stateFloats * 4
        meanOffset = (MemoryLayout<SlotHeader>.size + 7) & ~7
        varianceOffset = meanOffset + shape.inputs * 8
        carriedOffset = varianceOffset + shape.inputs * 8
        countOffset = carriedOffset + shape.inputs * 4
        scalarBytes = (countOffset + shape.inputs * 2 + 7) & ~7
        ringOffset = stateBytes + scalarBytes
        ringBytes = ringLength * targets * 8
        stride = (ringOffset + ringBytes + 15) & ~15
    }
}
