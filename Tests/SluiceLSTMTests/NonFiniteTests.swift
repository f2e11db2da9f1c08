import SluiceLSTM
import SluiceNumerics
import SluiceTestKit
import Testing

@Suite struct NonFiniteTests {
    private let shape = LSTMShape(inputs: 3, hidden: 20, layers: 2, outputs: 2)
    private let rows = 13

    private func parameters() -> (LSTMParameters, Generator) {
        var draws = Generator(seed: 5)
        let parameters = LSTMParameters(shape: shape, draws: &draws)
        return (parameters, draws)
    }

    @Test(arguments: InstructionSet.available)
    func poisonedRowsAreFlaggedAndNoOtherRowChanges(set: InstructionSet) {
        var (parameters, draws) = parameters()
        let stepper = LSTMStepper(parameters, on: set)
        let stride = shape.stateFloats
        var states = [Float](repeating: 0, count: rows * stride)
        var inputs = draws.floats(rows * shape.inputs)
        var clean = Batch(stepper, rows: rows, states: states)
        clean.step(inputs)

        let cOfLastLayer = 3 * shape.paddedHidden
        inputs[0 * shape.inputs + 1] = .nan
        states[4 * stride + 7] = .nan
        states[5 * stride + cOfLastLayer + shape.hidden - 1] = .infinity
        states[12 * stride + cOfLastLayer] = -.infinity
        var poisoned = Batch(stepper, rows: rows, states: states)
        poisoned.step(inputs)
        for row in 0..<rows {
            let bad = [0, 4, 5, 12].contains(row)
            #expect(poisoned.finite[row] == !bad, "row \(row)")
            if bad { continue }
            let (state, output) = ((row * stride)..<((row + 1) * stride), (row * 2)..<(row * 2 + 2))
            #expect(bits(Array(poisoned.states[state])) == bits(Array(clean.states[state])))
            #expect(bits(Array(poisoned.outputs[output])) == bits(Array(clean.outputs[output])))
        }
    }

    @Test(arguments: InstructionSet.available)
    func anInfiniteOutputIsFlagged(set: InstructionSet) {
        var (parameters, draws) = parameters()
        // The first output overflows where the first unit is positive, the second where it is negative.
        for (place, index) in parameters.headWeight.enumerated() {
            parameters.values[index] = place < shape.hidden ? .greatestFiniteMagnitude : -.greatestFiniteMagnitude
        }
        for index in parameters.headBias { parameters.values[index] = .greatestFiniteMagnitude }
        var batch = Batch(LSTMStepper(parameters, on: set), rows: rows)
        batch.step(draws.floats(rows * shape.inputs, scale: 64))
        for row in 0..<rows {
            #expect(batch.finite[row] == batch.outputs[(2 * row)..<(2 * row + 2)].allSatisfy(\.isFinite))
        }
        #expect(batch.finite.contains(false))
    }

    @Test(arguments: InstructionSet.available)
    func everyFlagIsTheReferences(set: InstructionSet) {
        var (parameters, draws) = parameters()
        let reference = ReferenceCell<Float>(parameters)
        let values: [Float] = [.nan, .infinity, -.infinity, 3e38, -3e38, .leastNonzeroMagnitude, -0.0]
        var batch = Batch(LSTMStepper(parameters, on: set), rows: values.count)
        var inputs = draws.floats(values.count * shape.inputs)
        for (row, value) in values.enumerated() { inputs[row * shape.inputs] = value }
        batch.step(inputs)
        let zero = [Float](repeating: 0, count: shape.stateFloats)
        for row in values.indices {
            let result = reference.step(inputs: Array(inputs[(3 * row)..<(3 * row + 3)]), state: zero)
            #expect(bits(Array(batch.states[(row * zero.count)...].prefix(zero.count))) == bits(result.next))
            #expect(bits(Array(batch.outputs[(2 * row)...].prefix(2))) == bits(result.outputs))
            #expect(batch.finite[row] == (result.next + result.outputs).allSatisfy(\.isFinite))
        }
    }

    @Test(arguments: InstructionSet.available)
    func paddingStaysZeroWhateverComes(set: InstructionSet) {
        let (parameters, _) = parameters()
        var batch = Batch(LSTMStepper(parameters, on: set), rows: 4)
        let inputs: [Float] = [1, 2, 3, .infinity, 0, 0, .nan, 0, 0, -.infinity, 1, 1]
        for _ in 0..<3 {
            batch.step(inputs)
            for index in batch.states.indices where index % shape.paddedHidden >= shape.hidden {
                #expect(batch.states[index].bitPattern == 0)
            }
        }
    }

    @Test(arguments: InstructionSet.available)
    func aVanishingCellStateBecomesPositiveZero(set: InstructionSet) {
        // All parameters 0: i = f = o = 1/2, g = 0, so c' = c / 2.
        let shape = LSTMShape(inputs: 1, hidden: 4, layers: 1, outputs: 1)
        var states = [Float](repeating: 0, count: shape.stateFloats)
        states.replaceSubrange(16..<20, with: [0x1p-100, -0x1p-100, 0x1p-99, -0x1p-99])
        var batch = Batch(LSTMStepper(LSTMParameters(shape: shape), on: set), rows: 1, states: states)
        batch.step([1])
        #expect(bits(Array(batch.states[16..<20])) == bits([0, 0, 0x1p-100, -0x1p-100]))
        #expect(bits(Array(batch.states[0..<2])) == [0, 0])
    }
}
