internal import CStepKernel

/// The arithmetic of training: an LSTM and its head over a packed batch, forward and backward in time, in one workspace
/// that is allocated once.
///
/// B rows, longest first, P steps in all, I inputs, H units, O outputs. Rows of inputs and states lie in blocks of 16
/// columns, `stride` floats apart. Every sum has an order of its own: the number of threads changes no bit.
@safe public final class TrainingNetwork {
    public typealias Floats = UnsafeMutablePointer<Float>
    public typealias Read = UnsafePointer<Float>

    private var network: sluice_train
    private let memory: UnsafeMutableRawBufferPointer
    /// Rows of each step, then first packed rows.
    private let batch: UnsafeMutablePointer<Int>
    private let stepsMax: Int
    private let team: ThreadTeam
    private let set: InstructionSet

    /// - Parameters:
    ///   - rows: B of the largest batch.
    ///   - steps: P of the largest batch.
    ///   - mayDrop: there is room for dropout between layers.
    ///   - learnsState: `backward` also finds the gradients of the states that a batch starts from.
    public init(
        inputs: Int, hidden: Int, layers: Int, outputs: Int, rows: Int, steps: Int, learnsState: Bool,
        mayDrop: Bool = false, team: ThreadTeam, on set: InstructionSet = .best
    ) {
        precondition(inputs > 0 && hidden > 0 && layers > 0 && outputs > 0, "sizes are positive")
        self.team = team
        self.set = set
        unsafe network = sluice_train()
        unsafe (network.inputs, network.hidden, network.layers) = (inputs, hidden, layers)
        unsafe (network.outputs, network.rows_max, network.steps_max) = (outputs, rows, steps)
        unsafe (network.threads, network.learns_state, network.may_drop) = (team.threads, learnsState, mayDrop)
        stepsMax = steps
        unsafe batch = .allocate(capacity: 2 * steps)
        unsafe (network.active, network.offsets) = (UnsafePointer(batch), UnsafePointer(batch + steps))
        let count = unsafe sluice_train_floats(&network)
        unsafe memory = .allocate(byteCount: count * MemoryLayout<Float>.stride, alignment: 64)
        let floats = unsafe memory.bindMemory(to: Float.self)
        unsafe floats.initialize(repeating: 0)
        unsafe network.memory = floats.baseAddress!
    }

    deinit {
        unsafe memory.deallocate()
        unsafe batch.deallocate()
    }

    /// Floats from one block of 16 columns of a row to the next.
    public var stride: Int { unsafe 16 * sluice_train_stride(&network) }
    /// First block of row 0 of the inputs; the next row is 16 floats further, as everywhere here. Packed row p of
    /// inputs and states is row B + p.
    public var inputs: Floats { unsafe sluice_train_inputs(&network) }
    /// First block of the h (c) that row 0 of a batch starts from.
    public func h(layer: Int) -> Floats { unsafe sluice_train_h(&network, layer) }
    public func c(layer: Int) -> Floats { unsafe sluice_train_c(&network, layer) }
    /// Whether the next passes multiply h on its way to the layer above by `mask`, of layers below the last.
    public var drops: Bool {
        get { unsafe network.drops }
        set {
            unsafe precondition(network.may_drop || !newValue, "room for dropout")
            unsafe network.drops = newValue
        }
    }
    public func mask(layer: Int) -> Floats { unsafe sluice_train_mask(&network, layer) }
    /// `[P, O]`, row-major, and the gradient of the loss in them.
    public var outputs: Floats { unsafe sluice_train_outputs(&network) }
    public var outputGradient: Floats { unsafe sluice_train_output_gradient(&network) }
    /// After `backward`, the gradients of the h and c that row 0 started from; blocks of c are `cellStride` apart.
    public func hGradient(layer: Int) -> Floats { unsafe sluice_train_h_gradient(&network, layer) }
    public func cGradient(layer: Int) -> Floats { unsafe sluice_train_c_gradient(&network, layer) }
    public var cellStride: Int { unsafe 16 * network.rows_max }

    /// The batch that the next passes are about.
    ///
    /// - Parameters:
    ///   - active: rows of each step, descending.
    ///   - offsets: first packed row of each step.
    public func take(active: [Int], offsets: [Int]) {
        precondition(active.count == offsets.count && active.count <= stepsMax, "a batch within the announced sizes")
        for step in 0..<active.count {
            unsafe batch[step] = active[step]
            unsafe batch[stepsMax + step] = offsets[step]
        }
        unsafe network.rows = active.isEmpty ? 0 : active[0]
        unsafe network.steps = active.count
    }

    /// Fills states and outputs from inputs and first states.
    ///
    /// - Parameter parameters: in the order in which `PackedLSTM` takes them, as is the gradient of `backward`.
    public func forward(parameters: Read) {
        unsafe sluice_train_forward(&network, set.code, team.handle, parameters)
    }

    /// Fills the gradient of layers and head from `outputGradient`, after `forward` with the same parameters.
    public func backward(parameters: Read, gradient: Floats) {
        unsafe sluice_train_backward(&network, set.code, team.handle, parameters, gradient)
    }
}
