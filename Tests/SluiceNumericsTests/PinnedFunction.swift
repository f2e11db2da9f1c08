import Foundation
import SluiceNumerics

/// A pinned function, its double-precision yardstick and the bound stated for it.
enum PinnedFunction: String, CaseIterable, Sendable {
    case exp, log, tanh, sigmoid

    /// Largest error in units in the last place of the exact result rounded to Float, over every float32.
    var bound: Double {
        switch self {
        case .exp: 1.1
        case .log: 1
        case .tanh: 3
        case .sigmoid: 3
        }
    }

    func exact(_ x: Double) -> Double {
        switch self {
        case .exp: Foundation.exp(x)
        case .log: Foundation.log(x)
        case .tanh: Foundation.tanh(x)
        case .sigmoid: 1 / (1 + Foundation.exp(-x))
        }
    }

    func scalar(_ x: Float) -> Float {
        switch self {
        case .exp: Activation.exp(x)
        case .log: Activation.log(x)
        case .tanh: Activation.tanh(x)
        case .sigmoid: Activation.sigmoid(x)
        }
    }

    func array(_ x: [Float], on set: InstructionSet = .best) -> [Float] {
        var out = [Float](repeating: 0, count: x.count)
        switch self {
        case .exp: Activation.exp(x, &out, count: x.count, on: set)
        case .log: Activation.log(x, &out, count: x.count, on: set)
        case .tanh: Activation.tanh(x, &out, count: x.count, on: set)
        case .sigmoid: Activation.sigmoid(x, &out, count: x.count, on: set)
        }
        return out
    }

    /// Error of `y` as the value at `x`; infinite where NaN or an infinity is wrong.
    func error(of y: Float, at x: Float) -> Double {
        let exact = exact(Double(x))
        if exact.isNaN || y.isNaN { return exact.isNaN && y.isNaN ? 0 : .infinity }
        let rounded = Float(exact)
        if rounded.isInfinite || y.isInfinite { return rounded == y ? 0 : .infinity }
        // Stated: the sigmoid never falls below e^-87, so that it is never subnormal.
        if self == .sigmoid && exact < 0x1p-125 { return y > 0 && y < 0x1p-125 ? 0 : .infinity }
        return abs(Double(y) - exact) / Double(rounded.ulp)
    }
}

/// The float32 whose bit patterns are `first`, `first + step`, …: `count` of them.
func floats(from first: UInt32, step: UInt32, count: Int) -> [Float] {
    (0..<count).map { Float(bitPattern: first &+ UInt32(truncatingIfNeeded: $0) &* step) }
}
