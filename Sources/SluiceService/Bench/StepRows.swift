import SluiceLSTM

/// The rows of a benchmark of the step: states in a slab, stepped back and forth between two copies as a service would.
final class StepRows {
    private let parameters: LSTMParameters
    private let stepper: LSTMStepper
    private let shape: LSTMShape
    private let batch: Int
    private let inputs: UnsafeMutablePointer<Float>
    private let slabs: [UnsafeMutablePointer<Float>]
    private let pointers: [UnsafeMutablePointer<UnsafePointer<Float>>]
    private let outputs: UnsafeMutablePointer<Float>
    private let finite: UnsafeMutablePointer<Bool>
    /// Of the slab with the states as they are; the other's are those before.
    private var turn = 0

    init(_ sizes: StepBench.Shape) {
        let model = BenchModel.drawn(features: sizes.inputs, hidden: sizes.hidden, layers: sizes.layers)
        parameters = model.parameters
        stepper = LSTMStepper(parameters)
        (shape, batch) = (parameters.shape, sizes.batch)
        var generator = SplitMix64(state: 2)
        inputs = .allocate(capacity: batch * shape.inputs)
        for index in 0..<batch * shape.inputs { inputs[index] = generator.uniform(-1, 1) }
        let (rows, stride) = (batch, shape.stateFloats)
        slabs = (0..<2).map { _ in
            let slab = UnsafeMutableRawPointer.allocate(byteCount: rows * stride * 4, alignment: 64)
                .bindMemory(to: Float.self, capacity: rows * stride)
            slab.initialize(repeating: 0, count: rows * stride)
            return slab
        }
        pointers = slabs.map { slab in
            let starts = UnsafeMutablePointer<UnsafePointer<Float>>.allocate(capacity: rows)
            for row in 0..<rows { starts[row] = UnsafePointer(slab + row * stride) }
            return starts
        }
        outputs = .allocate(capacity: batch * shape.outputs)
        finite = .allocate(capacity: batch)
    }

    deinit {
        inputs.deallocate()
        for slab in slabs { UnsafeMutableRawPointer(slab).deallocate() }
        for rows in pointers { rows.deallocate() }
        outputs.deallocate()
        finite.deallocate()
    }

    func step() {
        stepper.step(
            rows: batch, inputs: inputs, states: pointers[turn], next: slabs[1 - turn], outputs: outputs,
            finite: finite)
        turn = 1 - turn
    }

    /// Leaves nothing where the next step writes that could be taken for its results.
    func spoil() {
        slabs[1 - turn].update(repeating: .nan, count: batch * shape.stateFloats)
        outputs.update(repeating: .nan, count: batch * shape.outputs)
        finite.update(repeating: false, count: batch)
    }

    /// Whether the last step left every row finite, h and c not zero, padding zero, and some rows as the reference
    /// computes them, to the last bit.
    var isSound: Bool {
        (0..<batch).allSatisfy(isPlausible) && Set([0, batch / 2, batch - 1]).allSatisfy(isAsTheReference)
    }

    private func isPlausible(_ row: Int) -> Bool {
        let state = slabs[turn] + row * shape.stateFloats
        let isWritten = (0..<shape.stateFloats).allSatisfy { index in
            let isPadding = index % shape.paddedHidden >= shape.hidden
            return isPadding ? state[index] == 0 : state[index].isFinite && state[index] != 0
        }
        return finite[row] && isWritten
            && (0..<shape.outputs).allSatisfy { outputs[row * shape.outputs + $0].isFinite }
    }

    private func isAsTheReference(_ row: Int) -> Bool {
        let (floats, first) = (shape.stateFloats, row * shape.stateFloats)
        let expected = ReferenceCell<Float>(parameters).step(
            inputs: (0..<shape.inputs).map { inputs[row * shape.inputs + $0] },
            state: (0..<floats).map { slabs[1 - turn][first + $0] })
        return (0..<floats).allSatisfy { slabs[turn][first + $0].bitPattern == expected.next[$0].bitPattern }
            && (0..<shape.outputs).allSatisfy {
                outputs[row * shape.outputs + $0].bitPattern == expected.outputs[$0].bitPattern
            }
    }
}
