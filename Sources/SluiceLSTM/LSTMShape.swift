/// The sizes of a model: an LSTM of `layers` layers and a linear head.
package struct LSTMShape: Hashable, Sendable {
    /// I: features of an observation.
    package let inputs: Int
    /// H: units of each layer.
    package let hidden: Int
    /// L: layers, 1 to 4.
    package let layers: Int
    /// O: outputs of the head.
    package let outputs: Int

    package init(inputs: Int, hidden: Int, layers: Int, outputs: Int) {
        precondition(
            inputs > 0 && hidden > 0 && (1...4).contains(layers) && outputs > 0, "sizes are validated by callers")
        self.inputs = inputs
        self.hidden = hidden
        self.layers = layers
        self.outputs = outputs
    }

    /// H rounded up to the kernel's unit block of 16: the length of h and of c of one layer in memory.
    package var paddedHidden: Int { (hidden + 15) & ~15 }
    /// Floats of one stream's state in memory, `[L][h, c][paddedHidden]`; padding is zero.
    package var stateFloats: Int { 2 * layers * paddedHidden }
    /// I for layer 0, H above it.
    package func inputs(ofLayer layer: Int) -> Int { layer == 0 ? inputs : hidden }
}
