import Foundation
import SluiceCore
import SluiceLSTM
import SluiceNumerics
import SluiceTestKit
import Testing

/// One case of `Goldens/forward.json`, written by `Goldens/make_goldens.py` with PyTorch.
private struct Golden: Decodable, Sendable, CustomTestStringConvertible {
    let seed: UInt64
    let inputs, hidden, layers, outputs, rows, steps: Int
    /// `[steps][rows][O]`
    let output: [Double]
    /// `[L][rows][H]`, after the last step.
    let h, c: [Double]

    var testDescription: String { "\(layers) layers of \(hidden)" }

    static func all() throws -> [Golden] {
        let file = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Goldens/forward.json")
        return try JSONDecoder().decode([Golden].self, from: Data(contentsOf: file))
    }
}

@Suite struct GoldenTests {
    @Test func forwardEqualsPyTorchWithinTheContractsBound() throws {
        let goldens = try Golden.all()
        #expect(goldens.count == 15)
        for golden in goldens {
            let shape = LSTMShape(
                inputs: golden.inputs, hidden: golden.hidden, layers: golden.layers, outputs: golden.outputs)
            var draws = Generator(seed: golden.seed)
            let parameters = LSTMParameters(shape: shape, draws: &draws)
            var batch = Batch(LSTMStepper(parameters), rows: golden.rows)
            var output: [Float] = []
            for _ in 0..<golden.steps {
                batch.step(draws.floats(golden.rows * golden.inputs, scale: 2))
                output += batch.outputs
            }
            #expect(relativeError(output, golden.output) < 1e-5, "output, \(golden.testDescription)")
            #expect(relativeError(state(batch, part: 0), golden.h) < 1e-5, "h, \(golden.testDescription)")
            #expect(relativeError(state(batch, part: 1), golden.c) < 1e-5, "c, \(golden.testDescription)")
        }
    }

    /// h (part 0) or c (part 1) as PyTorch lays it out: `[L][rows][H]`.
    private func state(_ batch: Batch, part: Int) -> [Float] {
        let shape = batch.stepper.shape
        var values: [Float] = []
        for layer in 0..<shape.layers {
            for row in 0..<batch.rows {
                let start = row * shape.stateFloats + (2 * layer + part) * shape.paddedHidden
                values += batch.states[start..<(start + shape.hidden)]
            }
        }
        return values
    }

    /// Any change of the arithmetic changes this hash. It is a promise about recorded logs: it may only ever change
    /// together with the version of the snapshot format. `scripts/check-arm64` prints the same number for arm64.
    @Test(arguments: InstructionSet.available)
    func arithmeticIsPinned(set: InstructionSet) {
        var draws = Generator(seed: 2_026)
        let shape = LSTMShape(inputs: 7, hidden: 37, layers: 2, outputs: 5)
        let parameters = LSTMParameters(shape: shape, draws: &draws)
        let rows = 19
        var batch = Batch(LSTMStepper(parameters, on: set), rows: rows)
        var recorded: [Float] = []
        for _ in 0..<11 {
            batch.step(draws.floats(rows * shape.inputs, scale: 4))
            recorded += batch.outputs
        }
        recorded += batch.states
        let hash = recorded.withUnsafeBytes { xxHash64($0) }
        #expect(String(hash, radix: 16) == "9d883d762e3dd173")
    }
}
