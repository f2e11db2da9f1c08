import SluiceLSTM
import SluiceNumerics
import SluiceTestKit
import Testing

@testable import SluiceTraining

/// The fast arithmetic against its definition, on every instruction set of the machine.
@Suite struct TrainingNetworkTests {
    struct Case: CustomTestStringConvertible, Sendable {
        var inputs = 3
        var hidden = 16
        var layers = 1
        var outputs = 1
        var lengths = [5, 5]
        var drops = false

        var shape: LSTMShape { LSTMShape(inputs: inputs, hidden: hidden, layers: layers, outputs: outputs) }
        var testDescription: String {
            "I\(inputs) H\(hidden) L\(layers) O\(outputs) lengths \(lengths)\(drops ? " dropout" : "")"
        }

        static let all = [
            Case(), Case(inputs: 1, hidden: 1, lengths: [1]), Case(inputs: 1, hidden: 7, lengths: [20]),
            Case(inputs: 2, hidden: 65, layers: 2, lengths: [5]),
            Case(inputs: 17, hidden: 7, layers: 2, outputs: 5, lengths: [9, 8, 8, 3, 3, 3, 1]),
            Case(inputs: 33, hidden: 65, outputs: 2, lengths: [4, 3, 3, 3, 2, 2, 2, 1, 1, 1, 1]),
            Case(inputs: 5, hidden: 20, layers: 3, outputs: 17, lengths: [4, 3, 3]),
            Case(inputs: 4, hidden: 34, layers: 4, lengths: [6, 6, 6, 6, 6, 5, 5, 5, 5, 5, 5, 5, 5]),
            Case(inputs: 3, hidden: 18, layers: 3, lengths: [5, 5, 4, 4, 4, 2, 1], drops: true),
            Case(inputs: 8, hidden: 48, lengths: [Int](repeating: 12, count: 14)),
            Case(inputs: 130, hidden: 33, layers: 2, lengths: [4, 4, 3, 3, 1]),
        ]
    }

    @Test(arguments: Case.all)
    func everyTensorEqualsTheDefinition(_ one: Case) {
        let world = World(one)
        let expected = world.reference()
        for set in InstructionSet.available {
            let fast = world.run(threads: 2, on: set)
            #expect(relativeError(fast.outputs, expected.outputs) < 2e-6, "outputs, \(set)")
            #expect(relativeError(fast.states, expected.states) < 2e-6, "states, \(set)")
            #expect(relativeError(fast.stateGradients, expected.stateGradients) < 1e-5, "first states, \(set)")
            for tensor in world.parameters.tensors {
                let error = relativeError(Array(fast.gradient[tensor.range]), Array(expected.gradient[tensor.range]))
                #expect(error < 1e-5, "gradient of \(tensor.name), \(set)")
            }
        }
    }

    @Test(arguments: Case.all)
    func threadsChangeNoBit(_ one: Case) {
        let world = World(one)
        let single = world.run(threads: 1, on: .best)
        for threads in [1, 2, 3, 5] { #expect(world.run(threads: threads, on: .best) == single, "\(threads) threads") }
    }

    /// What a larger batch has left in the workspace is of no account.
    @Test func smallerBatchAfterALargerOneStartsAfresh() {
        let large = World(Case(inputs: 4, hidden: 20, layers: 2, lengths: [9, 7, 7, 2]))
        let small = World(Case(inputs: 4, hidden: 20, layers: 2, lengths: [3, 1]))
        let network = large.network(threads: 1, on: .best)
        _ = large.run(on: network)
        let again = small.run(on: network)
        #expect(again == small.run(threads: 1, on: .best))
    }

    @Test func passesAllocateNothing() {
        let world = World(Case(inputs: 8, hidden: 64, layers: 2, lengths: [Int](repeating: 12, count: 16)))
        let network = world.network(threads: 2, on: .best)
        _ = world.run(on: network)
        let gradient = UnsafeMutablePointer<Float>.allocate(capacity: world.parameters.values.count)
        defer { gradient.deallocate() }
        let (active, offsets) = (world.active, world.offsets)
        world.parameters.values.withUnsafeBufferPointer { buffer in
            let parameters = buffer.baseAddress!
            #expect(allocations { for _ in 0..<3 { network.take(active: active, offsets: offsets) } } == 0)
            #expect(allocations { for _ in 0..<3 { network.forward(parameters: parameters) } } == 0)
            let back = allocations {
                for _ in 0..<3 { network.backward(parameters: parameters, gradient: gradient) }
            }
            #expect(back == 0)
        }
    }
}

/// Values for a case, and its run on the fast path and by the definition.
private struct World {
    struct Result: Equatable {
        var outputs: [Float] = []
        /// `[B][L][h, c][H]`, the last ones and the gradients of the first ones.
        var states: [Float] = []
        var stateGradients: [Float] = []
        var gradient: [Float] = []
    }

    let one: TrainingNetworkTests.Case
    let parameters: LSTMParameters
    let active, offsets: [Int]
    private let rows: [ReferenceNetwork.Row]

    init(_ one: TrainingNetworkTests.Case) {
        self.one = one
        var generator = SeededGenerator(seed: 5, stream: .shuffle, index: one.hidden)
        func draws(_ count: Int) -> [Double] { (0..<count).map { _ in Double(generator.uniform(1)) } }
        var parameters = LSTMParameters(shape: one.shape)
        let scale = 1 / Float(one.hidden).squareRoot()
        for index in parameters.values.indices { parameters.values[index] = generator.uniform(scale) }
        self.parameters = parameters
        let active = (0..<one.lengths[0]).map { step in one.lengths.count { $0 > step } }
        self.active = active
        offsets = active.indices.map { active[..<$0].reduce(0, +) }
        rows = one.lengths.map { length in
            ReferenceNetwork.Row(
                inputs: (0..<length).map { _ in draws(one.inputs) },
                h: (0..<one.layers).map { _ in draws(one.hidden) }, c: (0..<one.layers).map { _ in draws(one.hidden) },
                masks: (1..<one.layers).map { _ in
                    (0..<length).map { _ in draws(one.hidden).map { one.drops ? ($0 > 0 ? 2 : 0) : 1 } }
                },
                outputGradient: (0..<length).map { _ in draws(one.outputs) })
        }
    }

    func network(threads: Int, on set: InstructionSet) -> TrainingNetwork {
        TrainingNetwork(
            inputs: one.inputs, hidden: one.hidden, layers: one.layers, outputs: one.outputs, rows: one.lengths.count,
            steps: one.lengths.reduce(0, +), learnsState: true, mayDrop: one.drops,
            team: ThreadTeam(threads: threads), on: set)
    }

    func run(threads: Int, on set: InstructionSet) -> Result { run(on: network(threads: threads, on: set)) }

    func run(on network: TrainingNetwork) -> Result {
        network.take(active: active, offsets: offsets)
        network.drops = one.drops
        for (j, row) in rows.enumerated() {
            for layer in 0..<one.layers {
                write(row.h[layer], to: network.h(layer: layer) + 16 * j, network.stride)
                write(row.c[layer], to: network.c(layer: layer) + 16 * j, network.stride)
            }
            for step in row.inputs.indices {
                write(row.inputs[step], to: network.inputs + 16 * (rows.count + offsets[step] + j), network.stride)
            }
            for step in row.inputs.indices {
                for layer in 0..<one.layers - 1 where one.drops {
                    let place = network.mask(layer: layer) + 16 * (rows.count + offsets[step] + j)
                    write(row.masks[layer][step], to: place, network.stride)
                }
                for output in 0..<one.outputs {
                    network.outputGradient[(offsets[step] + j) * one.outputs + output] = Float(
                        row.outputGradient[step][output])
                }
            }
        }
        var result = Result(gradient: [Float](repeating: 0, count: parameters.values.count))
        network.forward(parameters: parameters.values)
        network.backward(parameters: parameters.values, gradient: &result.gradient)
        for (j, row) in rows.enumerated() {
            for step in row.inputs.indices {
                let place = (offsets[step] + j) * one.outputs
                result.outputs += (0..<one.outputs).map { network.outputs[place + $0] }
            }
            let last = 16 * (rows.count + offsets[row.inputs.count - 1] + j)
            for layer in 0..<one.layers {
                result.states += read(network.h(layer: layer) + last, network.stride)
                result.states += read(network.c(layer: layer) + last, network.stride)
                result.stateGradients += read(network.hGradient(layer: layer) + 16 * j, network.stride)
                result.stateGradients += read(network.cGradient(layer: layer) + 16 * j, network.cellStride)
            }
        }
        return result
    }

    func reference() -> Result {
        var result = Result(gradient: [Float](repeating: 0, count: parameters.values.count))
        var gradient = [Double](repeating: 0, count: parameters.values.count)
        let network = ReferenceNetwork(parameters)
        for row in rows {
            let one = network.run(row)
            result.outputs += one.outputs.joined().map { Float($0) }
            for layer in one.h.indices {
                result.states += (one.h[layer] + one.c[layer]).map { Float($0) }
                result.stateGradients += (one.hGradient[layer] + one.cGradient[layer]).map { Float($0) }
            }
            for index in gradient.indices { gradient[index] += one.gradient[index] }
        }
        result.gradient = gradient.map { Float($0) }
        return result
    }

    private func write(_ values: [Double], to place: UnsafeMutablePointer<Float>, _ stride: Int) {
        for (index, value) in values.enumerated() { place[index / 16 * stride + index % 16] = Float(value) }
    }

    private func read(_ place: UnsafeMutablePointer<Float>, _ stride: Int) -> [Float] {
        (0..<one.hidden).map { place[$0 / 16 * stride + $0 % 16] }
    }
}
