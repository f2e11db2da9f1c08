/// The step, written as the equations are: slow, and the judge of every fast kernel.
///
/// In Float its arithmetic is the pinned one to the bit; in Double it is the yardstick of accuracy.
///
///     i = σ(b + W x + U h)    f, o likewise    g = tanh(b + W x + U h)
///     c' = f c + i g          h' = o tanh c'   y = V h' + b
public struct ReferenceCell<Scalar: ReferenceScalar> {
    private let parameters: LSTMParameters

    public init(_ parameters: LSTMParameters) {
        self.parameters = parameters
    }

    /// One step of one row: `inputs [I]`, `state [L][h, c][paddedHidden]`, `outputs [O]`.
    public func step(inputs: [Scalar], state: [Scalar]) -> (next: [Scalar], outputs: [Scalar]) {
        let shape = parameters.shape
        let (hidden, padded) = (shape.hidden, shape.paddedHidden)
        var next = [Scalar](repeating: 0, count: shape.stateFloats)
        var below = inputs
        for index in 0..<shape.layers {
            let layer = parameters.layer(index)
            let hStart = 2 * index * padded
            let cStart = hStart + padded
            let h = Array(state[hStart..<(hStart + hidden)])
            for unit in 0..<hidden {
                /// b, then W x, then U h: one chain of fused multiply-adds in this order.
                func gate(_ gate: Int) -> Scalar {
                    let row = gate * hidden + unit
                    let bias = parameter(layer.biasIH, row) + parameter(layer.biasHH, row)
                    return chain(chain(bias, layer.weightIH, row, below), layer.weightHH, row, h)
                }
                let i = Scalar.sigmoid(gate(0))
                let f = Scalar.sigmoid(gate(1))
                let g = Scalar.tanh(gate(2))
                let o = Scalar.sigmoid(gate(3))
                let c = (i * g).addingProduct(f, state[cStart + unit]).flushed
                next[cStart + unit] = c
                next[hStart + unit] = o * Scalar.tanh(c)
            }
            below = Array(next[hStart..<(hStart + hidden)])
        }
        let outputs = (0..<shape.outputs).map { output in
            chain(parameter(parameters.headBias, output), parameters.headWeight, output, below)
        }
        return (next, outputs)
    }

    private func parameter(_ tensor: Range<Int>, _ index: Int) -> Scalar {
        Scalar(parameters.values[tensor.lowerBound + index])
    }

    /// sum + row `row` of the matrix · vector, each product fused into the sum before it.
    private func chain(_ sum: Scalar, _ matrix: Range<Int>, _ row: Int, _ vector: [Scalar]) -> Scalar {
        var sum = sum
        for k in vector.indices { sum = sum.addingProduct(parameter(matrix, row * vector.count + k), vector[k]) }
        return sum
    }
}

/// What the reference needs of a number.
public protocol ReferenceScalar: BinaryFloatingPoint {
    static func sigmoid(_ x: Self) -> Self
    static func tanh(_ x: Self) -> Self
}

extension ReferenceScalar {
    /// A cell state this small is zero: arithmetic on subnormals is slow, and they mean nothing.
    var flushed: Self { magnitude < Self(sign: .plus, exponent: -100, significand: 1) ? 0 : self }
}
