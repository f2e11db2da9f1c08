import Foundation
public import SluiceLSTM
import SluiceNumerics
import SluiceTestKit

extension LSTMParameters {
    /// Drawn in file order with the amplitude 2^-⌊½ log₂ H⌋, near PyTorch's 1/√H.
    init(shape: LSTMShape, draws: inout Generator) {
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

/// max |a − b| / max |b|
func relativeError(_ a: [Float], _ b: [Double]) -> Double {
    let largest = b.map(\.magnitude).max() ?? 0
    return (zip(a, b).map { (Double($0) - $1).magnitude }.max() ?? 0) / largest
}

extension Double: ReferenceScalar {
    public static func sigmoid(_ x: Double) -> Double { 1 / (1 + Foundation.exp(-x)) }
    public static func tanh(_ x: Double) -> Double { Foundation.tanh(x) }
}
