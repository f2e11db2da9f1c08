import Foundation
import SluiceLSTM
import SluiceNumerics

/// Pseudo-random numbers from integer arithmetic alone, so that every machine and the scripts in Python and C draw the
/// same.
struct Draws {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    /// Uniform over the multiples of 2⁻²³ in [−1, 1), times a power of two. (SplitMix64.)
    mutating func next(scale: Float = 1) -> Float {
        state &+= 0x9e37_79b9_7f4a_7c15
        var z = state
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        z ^= z >> 31
        return Float(Int64(z >> 40) - (1 << 23)) * 0x1p-23 * scale
    }

    mutating func floats(_ count: Int, scale: Float = 1) -> [Float] { (0..<count).map { _ in next(scale: scale) } }
}

extension LSTMParameters {
    /// Drawn in file order with the amplitude 2^-⌊½ log₂ H⌋, near PyTorch's 1/√H.
    init(shape: LSTMShape, draws: inout Draws) {
        self.init(shape: shape)
        let halfLog = (Int.bitWidth - 1 - shape.hidden.leadingZeroBitCount) / 2
        let amplitude = Float(sign: .plus, exponent: -halfLog, significand: 1)
        values = draws.floats(values.count, scale: amplitude)
    }
}

/// A batch in memory as the stepper wants it, for tests: contiguous states, stepped in place of each other.
struct Batch {
    let stepper: LSTMStepper
    let rows: Int
    /// `[rows][L][h, c][Hp]`
    var states: [Float]
    /// `[rows][O]` of the last step.
    var outputs: [Float]
    /// `[rows]` of the last step.
    var finite: [Bool]

    init(_ stepper: LSTMStepper, rows: Int, states: [Float]? = nil) {
        self.stepper = stepper
        self.rows = rows
        self.states = states ?? [Float](repeating: 0, count: rows * stepper.shape.stateFloats)
        outputs = [Float](repeating: .nan, count: rows * stepper.shape.outputs)
        finite = [Bool](repeating: false, count: rows)
    }

    /// One step of all rows, in calls of at most `size` rows, and the commit of every row.
    mutating func step(_ inputs: [Float], by size: Int = .max) {
        let shape = stepper.shape
        let stride = shape.stateFloats
        var next = [Float](repeating: .nan, count: states.count)
        states.withUnsafeBufferPointer { states in
            let pointers = (0..<rows).map { states.baseAddress! + $0 * stride }
            inputs.withUnsafeBufferPointer { inputs in
                var row = 0
                while row < rows {
                    let count = min(size, rows - row)
                    next.withUnsafeMutableBufferPointer { next in
                        outputs.withUnsafeMutableBufferPointer { outputs in
                            finite.withUnsafeMutableBufferPointer { finite in
                                pointers.withUnsafeBufferPointer { pointers in
                                    stepper.step(
                                        rows: count, inputs: inputs.baseAddress! + row * shape.inputs,
                                        states: pointers.baseAddress! + row, next: next.baseAddress! + row * stride,
                                        outputs: outputs.baseAddress! + row * shape.outputs,
                                        finite: finite.baseAddress! + row)
                                }
                            }
                        }
                    }
                    row += count
                }
            }
        }
        states = next
    }
}

/// The bits of the values; every NaN counts as the same, for processors differ in its payload.
func bits(_ values: [Float]) -> [UInt32] { values.map { $0.isNaN ? 0x7fc0_0000 : $0.bitPattern } }

/// max |a − b| / max |b|
func relativeError(_ a: [Float], _ b: [Double]) -> Double {
    let largest = b.map(\.magnitude).max() ?? 0
    return (zip(a, b).map { (Double($0) - $1).magnitude }.max() ?? 0) / largest
}

extension Double: ReferenceScalar {
    package static func sigmoid(_ x: Double) -> Double { 1 / (1 + Foundation.exp(-x)) }
    package static func tanh(_ x: Double) -> Double { Foundation.tanh(x) }
}
