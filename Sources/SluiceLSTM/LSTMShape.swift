/// The sizes of a model: an LSTM of `layers` layers and a linear head.
public struct LSTMShape: Hashable, Sendable {
    /// I: features of an observation.
    public let inputs: Int
    /// H: units of each layer.
    public let hidden: Int
    /// L: layers, 1 to 4.
    public let layers: Int
    /// O: outputs of the head.
    public let outputs: Int

    public init(inputs: Int, hidden: Int, layers: Int, outputs: Int) {
        precondition(
            inputs > 0 && hidden > 0 && (1...4).contains(layers) && outputs > 0, "sizes are validated by callers")
        self.inputs = inputs
        self.hidden = hidden
        self.layers = layers
        self.outputs = outputs
    }

    /// H rounded up to the kernel's unit block of 16: the length of h and of c of one layer in memory.
    public var paddedHidden: Int { (hidden + 15) & ~15 }
    /// Floats of one stream's state in memory, `[L][h, c][paddedHidden]`; padding is zero.
    public var stateFloats: Int { 2 * layers * paddedHidden }
    /// I for layer 0, H above it.
    public func inputs(ofLayer layer: Int) -> Int { layer == 0 ? inputs : hidden }
}
