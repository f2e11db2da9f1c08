internal import CStepKernel

/// A network's parameters in the order the step kernel reads them: aligned, immutable, shared by every worker.
///
/// `@unchecked Sendable`: the memory is written in `init` and only read afterwards.
@safe public final class PackedLSTM: @unchecked Sendable {
    private let memory: UnsafeMutableBufferPointer<Float>
    private let network: sluice_lstm

    /// Packs parameters that lie in PyTorch's order: for each layer `weight_ih [4H, I]` (`[4H, H]` above layer 0),
    /// `weight_hh [4H, H]`, `bias_ih [4H]`, `bias_hh [4H]`, gates i, f, g, o; then `head.weight [O, H]`, `head.bias
    /// [O]`. Anything after them is ignored.
    public init(inputs: Int, hidden: Int, layers: Int, outputs: Int, parameters: UnsafeBufferPointer<Float>) {
        precondition(inputs > 0 && hidden > 0 && layers > 0 && outputs > 0, "sizes are positive")
        let (gates, rest) = (4 * hidden, outputs * (hidden + 1))
        let needed = gates * (inputs + (2 * layers - 1) * hidden + 2 * layers) + rest
        precondition(parameters.count >= needed, "parameters of a network of these sizes")
        var network = unsafe sluice_lstm(
            inputs: inputs, hidden: hidden, layers: layers, outputs: outputs, packed: parameters.baseAddress!)
        let count = unsafe sluice_lstm_packed_floats(&network)
        let bytes = UnsafeMutableRawBufferPointer.allocate(
            byteCount: count * MemoryLayout<Float>.stride, alignment: 64)
        let memory = unsafe bytes.bindMemory(to: Float.self)
        unsafe memory.initialize(repeating: 0)
        let packed = memory.baseAddress!
        var next = parameters.baseAddress!
        func take(_ count: Int) -> UnsafePointer<Float> {
            defer { unsafe next += count }
            return unsafe next
        }
        for layer in 0..<layers {
            let weightIH = unsafe take(gates * (layer == 0 ? inputs : hidden))
            let weightHH = unsafe take(gates * hidden)
            let (biasIH, biasHH) = unsafe (take(gates), take(gates))
            unsafe sluice_lstm_pack_layer(&network, layer, weightIH, weightHH, biasIH, biasHH, packed)
        }
        let (weight, bias) = unsafe (take(outputs * hidden), take(outputs))
        unsafe sluice_lstm_pack_head(&network, weight, bias, packed)
        unsafe network.packed = UnsafePointer(packed)
        unsafe self.memory = memory
        unsafe self.network = network
    }

    deinit { unsafe memory.deallocate() }

    /// One step of `rows` rows: reads, computes, writes nothing but its three results; the caller commits `next`.
    ///
    /// - Parameters:
    ///   - inputs: `[rows][I]`.
    ///   - states: for each row where its `[L][h, c][Hp]` lies, Hp = H rounded up to 16, padding zero.
    ///   - next: `[rows][L][h, c][Hp]`, no overlap with any state; padding becomes zero.
    ///   - outputs: `[rows][O]`, the linear head's.
    ///   - finite: `[rows]`, whether every h, c and output of the row is finite.
    public func step(
        rows: Int, inputs: UnsafePointer<Float>, states: UnsafePointer<UnsafePointer<Float>>,
        next: UnsafeMutablePointer<Float>, outputs: UnsafeMutablePointer<Float>, finite: UnsafeMutablePointer<Bool>,
        on set: InstructionSet
    ) {
        unsafe withUnsafePointer(to: network) { network in
            unsafe sluice_lstm_step(network, set.code, rows, inputs, states, next, outputs, finite)
        }
    }
}
