/// All parameters of a model in one flat allocation, so that saving, loading and optimizers are flat loops.
///
/// Names, shapes and gate order (i, f, g, o) are PyTorch's for `self.lstm = nn.LSTM(I, H, L)` and
/// `self.head = nn.Linear(H, O)`.
public struct LSTMParameters: Sendable, Equatable {
    /// A named part of the flat allocation.
    public struct Tensor: Sendable, Equatable {
        public let name: String
        public let shape: [Int]
        public let range: Range<Int>
    }

    public let shape: LSTMShape
    /// Whether `initial_state.h [L, H]` and `initial_state.c [L, H]` are parameters (zero otherwise).
    public let hasInitialState: Bool
    public let tensors: [Tensor]
    public var values: [Float]

    /// All zero.
    public init(shape: LSTMShape, hasInitialState: Bool = false) {
        self.shape = shape
        self.hasInitialState = hasInitialState
        self.tensors = Self.layout(shape, hasInitialState: hasInitialState)
        self.values = [Float](repeating: 0, count: tensors.last?.range.upperBound ?? 0)
    }

    /// The tensors of a model in file order: each layer's `weight_ih [4H, I]`, `weight_hh [4H, H]`, `bias_ih [4H]`,
    /// `bias_hh [4H]`, then `head.weight [O, H]`, `head.bias [O]`, then the initial states.
    public static func layout(_ shape: LSTMShape, hasInitialState: Bool) -> [Tensor] {
        let (h, o) = (shape.hidden, shape.outputs)
        var named: [(String, [Int])] = []
        for layer in 0..<shape.layers {
            named.append(("lstm.weight_ih_l\(layer)", [4 * h, shape.inputs(ofLayer: layer)]))
            named.append(("lstm.weight_hh_l\(layer)", [4 * h, h]))
            named.append(("lstm.bias_ih_l\(layer)", [4 * h]))
            named.append(("lstm.bias_hh_l\(layer)", [4 * h]))
        }
        named += [("head.weight", [o, h]), ("head.bias", [o])]
        if hasInitialState {
            named += [("initial_state.h", [shape.layers, h]), ("initial_state.c", [shape.layers, h])]
        }
        var start = 0
        return named.map { name, sizes in
            let count = sizes.reduce(1, *)
            defer { start += count }
            return Tensor(name: name, shape: sizes, range: start..<(start + count))
        }
    }

    /// The tensor of that name, nil if the model has none.
    public func tensor(_ name: String) -> Tensor? { tensors.first { $0.name == name } }

    /// The four tensors of one layer.
    public struct Layer: Sendable {
        public let weightIH, weightHH, biasIH, biasHH: Range<Int>
    }

    public func layer(_ index: Int) -> Layer {
        let first = 4 * index
        return Layer(
            weightIH: tensors[first].range, weightHH: tensors[first + 1].range, biasIH: tensors[first + 2].range,
            biasHH: tensors[first + 3].range)
    }

    public var headWeight: Range<Int> { tensors[4 * shape.layers].range }
    public var headBias: Range<Int> { tensors[4 * shape.layers + 1].range }
    /// `initial_state.h`, `initial_state.c`: nil where the initial state is not a parameter.
    public var initialState: (h: Range<Int>, c: Range<Int>)? {
        guard hasInitialState else { return nil }
        let first = 4 * shape.layers + 2
        return (tensors[first].range, tensors[first + 1].range)
    }
}
