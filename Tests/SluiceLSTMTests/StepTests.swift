import SluiceLSTM
import SluiceNumerics
import SluiceTestKit
import Testing

/// Sizes that meet every remainder of the kernel: units, rows, outputs, layers.
private let shapes: [LSTMShape] = [
    (1, 1, 1, 1), (3, 1, 4, 3), (17, 1, 2, 33), (1, 5, 2, 3), (3, 5, 1, 33), (17, 5, 3, 1), (1, 16, 3, 33),
    (3, 16, 2, 1),
    (17, 16, 1, 3), (1, 17, 4, 1), (3, 17, 1, 3), (17, 17, 2, 33), (1, 64, 1, 3), (3, 64, 2, 33), (17, 64, 1, 1),
    (150, 64, 2, 1),
    (8, 48, 1, 16), (8, 80, 1, 17), (3, 20, 1, 4), (3, 20, 1, 5), (1, 200, 1, 33), (17, 200, 2, 3),
].map { LSTMShape(inputs: $0.0, hidden: $0.1, layers: $0.2, outputs: $0.3) }

@Suite struct StepTests {
    @Test(arguments: shapes)
    func everyKernelEqualsTheReferenceBitwise(shape: LSTMShape) {
        var draws = Generator(seed: 1)
        let parameters = LSTMParameters(shape: shape, draws: &draws)
        let reference = ReferenceCell<Float>(parameters)
        // More than the lanes of the widest kernel, and some.
        let rows = shape.hidden < 64 ? 39 : 18
        var batches = InstructionSet.available.map { Batch(LSTMStepper(parameters, on: $0), rows: rows) }
        var states = [[Float]](repeating: [Float](repeating: 0, count: shape.stateFloats), count: rows)
        for _ in 0..<3 {
            let inputs = draws.floats(rows * shape.inputs, scale: 4)
            var outputs: [Float] = []
            for row in 0..<rows {
                let x = Array(inputs[(row * shape.inputs)..<((row + 1) * shape.inputs)])
                let result = reference.step(inputs: x, state: states[row])
                states[row] = result.next
                outputs += result.outputs
            }
            for index in batches.indices {
                batches[index].step(inputs)
                #expect(bits(batches[index].states) == bits(states.flatMap { $0 }))
                #expect(bits(batches[index].outputs) == bits(outputs))
                #expect(batches[index].finite.allSatisfy { $0 })
            }
        }
    }

    /// Stated bound: 2e-6 of the largest value after 20 steps, for weights as a fresh network has them.
    @Test(arguments: shapes.filter { $0.hidden < 64 })
    func stepIsAccurateAgainstDoublePrecision(shape: LSTMShape) {
        var draws = Generator(seed: 2)
        let parameters = LSTMParameters(shape: shape, draws: &draws)
        let reference = ReferenceCell<Double>(parameters)
        var batch = Batch(LSTMStepper(parameters), rows: 1)
        var state = [Double](repeating: 0, count: shape.stateFloats)
        for _ in 0..<20 {
            let inputs = draws.floats(shape.inputs, scale: 2)
            batch.step(inputs)
            let result = reference.step(inputs: inputs.map(Double.init), state: state)
            state = result.next
            #expect(relativeError(batch.states, state) < 2e-6)
            #expect(relativeError(batch.outputs, result.outputs) < 2e-6)
        }
    }

    @Test(arguments: [(8, 64, 1, 1), (3, 17, 3, 4), (17, 80, 1, 33), (16, 144, 2, 3)], InstructionSet.available)
    func rowsPerCallAndInstructionSetDoNotChangeABit(sizes: (Int, Int, Int, Int), set: InstructionSet) {
        let shape = LSTMShape(inputs: sizes.0, hidden: sizes.1, layers: sizes.2, outputs: sizes.3)
        var draws = Generator(seed: 3)
        let parameters = LSTMParameters(shape: shape, draws: &draws)
        let rows = 1_000
        var states = draws.floats(rows * shape.stateFloats, scale: 2)
        for index in states.indices where index % shape.paddedHidden >= shape.hidden { states[index] = 0 }
        let inputs = draws.floats(rows * shape.inputs, scale: 8)
        var whole = Batch(LSTMStepper(parameters), rows: rows, states: states)
        whole.step(inputs)
        for size in [1, 2, 3, 4, 5, 7, 17, 64, 1_000] {
            var batch = Batch(LSTMStepper(parameters, on: set), rows: rows, states: states)
            batch.step(inputs, by: size)
            #expect(bits(batch.states) == bits(whole.states), "\(size) rows per call")
            #expect(bits(batch.outputs) == bits(whole.outputs), "\(size) rows per call")
        }
    }

    @Test(arguments: InstructionSet.available)
    func rowsMayLieAnywhereInMemory(set: InstructionSet) {
        let shape = LSTMShape(inputs: 3, hidden: 20, layers: 2, outputs: 2)
        var draws = Generator(seed: 4)
        let stepper = LSTMStepper(LSTMParameters(shape: shape, draws: &draws), on: set)
        let (rows, stride) = (11, shape.stateFloats)
        var states = draws.floats(rows * stride)
        for index in states.indices where index % shape.paddedHidden >= shape.hidden { states[index] = 0 }
        let inputs = draws.floats(rows * shape.inputs)
        var expected = Batch(stepper, rows: rows, states: states)
        expected.step(inputs)

        // Reversed, apart by odd distances, so that no row is aligned like another.
        let starts = (0..<rows).map { (rows - 1 - $0) * (stride + 37) + 1 + $0 % 3 }
        var slab = [Float](repeating: .nan, count: rows * (stride + 37) + 4)
        for row in 0..<rows {
            slab.replaceSubrange(starts[row]..<(starts[row] + stride), with: states[(row * stride)...].prefix(stride))
        }
        var next = [Float](repeating: .nan, count: rows * stride)
        var outputs = [Float](repeating: .nan, count: rows * shape.outputs)
        var finite = [Bool](repeating: false, count: rows)
        slab.withUnsafeBufferPointer { slab in
            let pointers = starts.map { slab.baseAddress! + $0 }
            stepper.step(rows: rows, inputs: inputs, states: pointers, next: &next, outputs: &outputs, finite: &finite)
        }
        #expect(bits(next) == bits(expected.states))
        #expect(bits(outputs) == bits(expected.outputs))
        #expect(finite.allSatisfy { $0 })
    }
}
