public import SluiceLSTM

/// Where the parts of a slot lie in its one contiguous block.
///
/// `state [L][h, c][Hp] Float`, then the scalar block: header, and 22 bytes for each of the I features, see
/// `SlotScalars`; then the ring of pending forecasts `[R][T] (value, width)` Float. Parts and blocks are multiples of 4
/// bytes: the step's loads need no alignment, and whole cache lines would be 32 bytes more a stream on average.
public struct SlotLayout: Sendable, Equatable {
    /// Bytes of a feature's statistics and its carried value.
    static let featureBytes = 22

    public let shape: LSTMShape
    /// T: targets of a forecasting head, 0 otherwise.
    public let targets: Int
    /// R: pending forecasts kept.
    public let ringLength: Int

    public let stateBytes: Int
    /// Where the features begin in the scalar block.
    public let featureOffset: Int
    /// Bytes of header and features, what one observation changes outside state and ring.
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
        featureOffset = (MemoryLayout<SlotHeader>.size + 3) & ~3
        scalarBytes = (featureOffset + shape.inputs * Self.featureBytes + 3) & ~3
        ringOffset = stateBytes + scalarBytes
        ringBytes = ringLength * targets * 8
        stride = ringOffset + ringBytes
    }
}
