import Foundation
import SluiceNumerics
import SluiceTestKit
import Testing

@Suite struct ActivationTests {
    /// A prime: every exponent and about a million mantissas are visited.
    private let stride: UInt32 = 4_099
    private var sweep: [Float] { floats(from: 0, step: stride, count: Int(UInt32.max / stride)) }
    private let special: [Float] = [
        0, -0.0, 1, -1, .infinity, -.infinity, .nan, .leastNonzeroMagnitude, -.leastNonzeroMagnitude,
        .leastNormalMagnitude, .greatestFiniteMagnitude, -.greatestFiniteMagnitude, 87, -87, 87.00001, -87.00001,
        88.72283,
        88.72284, -103.9, -104, 9.5, 9.01, 0.34657, 0.34658, 0.70710677, 0.70710683,
    ]

    @Test(arguments: PinnedFunction.allCases)
    func errorIsWithinTheStatedBound(function: PinnedFunction) {
        let x = sweep + special
        let worst = zip(x, function.array(x)).map { function.error(of: $1, at: $0) }.max() ?? .infinity
        #expect(worst <= function.bound)
    }

    @Test(arguments: PinnedFunction.allCases, InstructionSet.available)
    func everyInstructionSetGivesTheSameBits(function: PinnedFunction, set: InstructionSet) {
        let x = sweep + special
        #expect(bits(function.array(x, on: set)) == bits(function.array(x, on: .best)))
    }

    @Test(arguments: PinnedFunction.allCases)
    func scalarEqualsArrayBitwise(function: PinnedFunction) {
        let x = sweep + special
        #expect(bits(x.map { function.scalar($0) }) == bits(function.array(x)))
    }

    @Test(arguments: PinnedFunction.allCases, InstructionSet.available)
    func everyCountGivesTheSameBitsAndWritesNoFurther(function: PinnedFunction, set: InstructionSet) {
        let x = floats(from: 0x3f00_0000, step: 123_457, count: 40)
        let expected = bits(function.array(x))
        for count in 0...40 {
            #expect(bits(function.array(Array(x.prefix(count)), on: set)) == Array(expected.prefix(count)))
        }
    }

    @Test func hyperbolicTangentIsOdd() {
        let x = sweep
        #expect(bits(PinnedFunction.tanh.array(x.map(-))) == bits(PinnedFunction.tanh.array(x).map(-)))
    }

    @Test func sigmoidIsNeverSubnormal() {
        #expect(PinnedFunction.sigmoid.array(sweep).allSatisfy { $0.isNaN || $0.isNormal })
    }

    @Test func foldFloatEnvironmentRoundsToNearestAndKeepsSubnormals() {
        fesetround(FE_UPWARD)
        setFoldFloatEnvironment()
        let (seven, ten, smallest) = (Float(7), Float(10), Float.leastNormalMagnitude)
        let (quotient, half) = (seven / ten, smallest / 2)
        fesetround(FE_TONEAREST)
        #expect(quotient == 0x1.666666p-1)
        #expect(half > 0)
    }

    /// Every float32, gated because it takes two and a half minutes of a processor per function, optimised:
    /// `make exhaustive`.
    @Test(
        .enabled(if: ProcessInfo.processInfo.environment["SLUICE_EXHAUSTIVE"] == "1"),
        arguments: PinnedFunction.allCases)
    func everyFloatIsWithinTheBoundAndTheSameEverywhere(function: PinnedFunction) {
        let block = 1 << 16
        var worst = (error: 0.0, at: Float(0))
        for first in Swift.stride(from: 0, to: 1 << 32, by: block) {
            let x = floats(from: UInt32(first), step: 1, count: block)
            let y = function.array(x)
            for index in 0..<block {
                let error = function.error(of: y[index], at: x[index])
                if error > worst.error { worst = (error, x[index]) }
            }
            let expected = bits(y)
            for set in InstructionSet.available where set != .best {
                if bits(function.array(x, on: set)) != expected {
                    Issue.record("\(function) on \(set) differs in the block from bit pattern \(first)")
                }
            }
        }
        #expect(worst.error <= function.bound, "largest error \(worst.error) ulp at \(worst.at)")
    }
}
