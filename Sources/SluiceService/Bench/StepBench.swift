import SluiceCore
package import SluiceEngine
import SluiceLSTM

/// Times one LSTM step for a batch of rows, at the shapes at which the peers are timed.
package struct StepBench {
    package struct Shape: Sendable {
        package var inputs: Int
        package var hidden: Int
        package var batch: Int

        package init(inputs: Int, hidden: Int, batch: Int) {
            self.inputs = inputs
            self.hidden = hidden
            self.batch = batch
        }
    }

    package struct Result: Encodable, Sendable {
        package var bench = "step"
        package var inputs: Int
        package var hidden: Int
        package var batch: Int
        package var threads = 1
        /// Best and median mean time of one call over the repetitions.
        package var microseconds: Double
        package var median: Double
        package var gflops: Double
    }

    package static let shapes = [(1, 32), (8, 64), (64, 64), (16, 128), (32, 256)].flatMap { inputs, hidden in
        [1, 8, 64, 256, 1024, 4096].map { Shape(inputs: inputs, hidden: hidden, batch: $0) }
    }
    private static let repetitions = 7

    package static func run(_ shape: Shape, clock: some EngineClock) -> Result {
        var parameters = LSTMParameters(
            shape: LSTMShape(inputs: shape.inputs, hidden: shape.hidden, layers: 1, outputs: 1))
        var generator = SplitMix64(state: 1)
        let bound = 1 / Float(shape.hidden).squareRoot()
        for index in parameters.values.indices { parameters.values[index] = generator.uniform(-bound, bound) }
        let rows = Rows(parameters.shape, batch: shape.batch, generator: &generator)
        let stepper = LSTMStepper(parameters)
        let multiplications = Double(shape.batch) * 8 * Double(shape.hidden * (shape.inputs + shape.hidden))
        let calls = max(3, min(3_000, Int(2e8 / multiplications)))
        rows.step(stepper)
        let times = (0..<repetitions).map { _ in
            let start = clock.monotonicNanoseconds()
            for _ in 0..<calls { rows.step(stepper) }
            return Double(clock.monotonicNanoseconds() - start) / Double(calls) / 1_000
        }.sorted()
        precondition(rows.isSound, "a step must give finite, non-zero states")
        return Result(
            inputs: shape.inputs, hidden: shape.hidden, batch: shape.batch, microseconds: times[0],
            median: times[repetitions / 2], gflops: multiplications / times[0] / 1_000)
    }
}

/// The rows of a benchmark: states in a slab, stepped back and forth between two copies as a service would.
private final class Rows {
    private let shape: LSTMShape
    private let batch: Int
    private let inputs: UnsafeMutablePointer<Float>
    private let slabs: [UnsafeMutablePointer<Float>]
    private let pointers: [UnsafeMutablePointer<UnsafePointer<Float>>]
    private let outputs: UnsafeMutablePointer<Float>
    private let finite: UnsafeMutablePointer<Bool>
    private var turn = 0

    init(_ shape: LSTMShape, batch: Int, generator: inout SplitMix64) {
        self.shape = shape
        self.batch = batch
        inputs = .allocate(capacity: batch * shape.inputs)
        for index in 0..<batch * shape.inputs { inputs[index] = generator.uniform(-1, 1) }
        let floats = batch * shape.stateFloats
        slabs = (0..<2).map { _ in
            let slab = UnsafeMutableRawPointer.allocate(byteCount: floats * 4, alignment: 64)
                .bindMemory(to: Float.self, capacity: floats)
            slab.initialize(repeating: 0, count: floats)
            return slab
        }
        pointers = slabs.map { slab in
            let rows = UnsafeMutablePointer<UnsafePointer<Float>>.allocate(capacity: batch)
            for row in 0..<batch { rows[row] = UnsafePointer(slab + row * shape.stateFloats) }
            return rows
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

    func step(_ stepper: LSTMStepper) {
        stepper.step(
            rows: batch, inputs: inputs, states: pointers[turn], next: slabs[1 - turn], outputs: outputs, finite: finite
        )
        turn = 1 - turn
    }

    var isSound: Bool {
        let slab = slabs[turn]
        return (0..<batch).allSatisfy { finite[$0] && slab[$0 * shape.stateFloats] != 0 }
    }
}

/// A small seeded generator (Steele, Lea and Flood, 2014), for inputs whose values do not matter.
struct SplitMix64: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }

    mutating func uniform(_ low: Float, _ high: Float) -> Float {
        low + (high - low) * Float(next() >> 40) * 0x1p-24
    }
}
