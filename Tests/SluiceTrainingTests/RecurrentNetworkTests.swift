import SluiceLSTM
import SluiceNumerics
import Testing

@testable import SluiceTraining

/// What rows start from, what is dropped and what is carried, of more than a block of units.
@Suite struct RecurrentNetworkTests {
    private static let shape = LSTMShape(inputs: 1, hidden: 20, layers: 3, outputs: 1)
    private static let (hidden, epoch) = (20, 2)

    private let dropout = Dropout(rate: 0.25, seed: 7)
    private let start: RowStart
    private let parameters: LSTMParameters
    private let dataset: Dataset
    private let carried: LaneStates
    /// The last goes on from its lane.
    private let rows = [
        BatchPlan.Row(segment: Segment(series: 0, rows: 0..<9), rows: 0..<4, lane: 0, resets: true),
        BatchPlan.Row(segment: Segment(series: 1, rows: 0..<9), rows: 0..<3, lane: 1, resets: true),
        BatchPlan.Row(segment: Segment(series: 0, rows: 4..<9), rows: 6..<8, lane: 2, resets: false),
    ]

    init() throws {
        var manifest = Synthetic.point
        manifest.initialState = .learnedNoise
        start = RowStart(manifest, seed: 7)
        var parameters = LSTMParameters(shape: Self.shape, hasInitialState: true)
        var generator = SeededGenerator(seed: 7, stream: .weights)
        for index in parameters.values.indices { parameters.values[index] = generator.uniform(0.3) }
        self.parameters = parameters
        dataset = try Dataset(["a", "b"].map { Synthetic.wave(9, name: $0) }, for: manifest)
        carried = LaneStates(shape: Self.shape, lanes: 3)
        for layer in 0..<3 {
            for unit in 0..<Self.hidden {
                carried.h(lane: 2, layer: layer)[unit] = generator.uniform(1)
                carried.c(lane: 2, layer: layer)[unit] = generator.uniform(1)
            }
        }
    }

    /// The row as its definition takes it; the gradient of each output is 1.
    private func definition(_ row: BatchPlan.Row) -> ReferenceNetwork.Row {
        let series = dataset.series[row.segment.series]
        var result = ReferenceNetwork.Row(
            inputs: row.rows.map { [Double(series.inputs[$0])] }, h: [], c: [], masks: [[], []],
            outputGradient: row.rows.map { _ in [1] })
        for layer in 0..<3 {
            var h = (0..<Self.hidden).map { carried.h(lane: row.lane, layer: layer)[$0] }
            var c = (0..<Self.hidden).map { carried.c(lane: row.lane, layer: layer)[$0] }
            if row.resets {
                parameters.values.withUnsafeBufferPointer { values in
                    start.fill(
                        &h, &c, hidden: Self.hidden, layer: layer,
                        learned: NetworkLayout(parameters).learned(values.baseAddress!, layer: layer),
                        start.key(of: row, in: dataset, epoch: Self.epoch))
                }
            }
            result.h.append(h.map(Double.init))
            result.c.append(c.map(Double.init))
        }
        for index in row.rows {
            var masks = [Float](repeating: 9, count: 2 * Self.hidden)
            dropout.fill(
                &masks, count: masks.count, series: row.segment.series, row: index, epoch: Self.epoch)
            result.masks[0].append(masks[..<Self.hidden].map(Double.init))
            result.masks[1].append(masks[Self.hidden...].map(Double.init))
        }
        return result
    }

    @Test func drawnLearnedAndCarriedStatesAndDropoutEqualTheDefinition() {
        let layout = NetworkLayout(parameters)
        let network = RecurrentNetwork(
            layout: layout, start: start, dropout: dropout, rows: 3, steps: 9, threads: 1)
        let expected = rows.map { ReferenceNetwork(parameters).run(definition($0)) }
        network.load(rows, of: dataset, states: carried, parameters: parameters.values, epoch: Self.epoch)
        network.forward(parameters: parameters.values)
        network.outputGradient.update(repeating: 1, count: 9)
        var gradient = [Float](repeating: 9, count: parameters.values.count)
        network.backward(parameters: parameters.values, gradient: &gradient)
        network.store(into: carried)
        for (row, expected) in zip(rows, expected) {
            for layer in 0..<3 {
                let state = (0..<2 * Self.hidden).map { carried.h(lane: row.lane, layer: layer)[$0] }
                #expect(relativeError(state, (expected.h[layer] + expected.c[layer]).map { Float($0) }) < 1e-5)
            }
        }
        var whole = [Double](repeating: 0, count: gradient.count)
        for (row, one) in zip(rows, expected) {
            for index in whole.indices { whole[index] += one.gradient[index] }
            for layer in 0..<3 where row.resets {
                for unit in 0..<Self.hidden {
                    whole[(layout.initialH ?? 0) + layer * Self.hidden + unit] += one.hGradient[layer][unit]
                    whole[(layout.initialC ?? 0) + layer * Self.hidden + unit] += one.cGradient[layer][unit]
                }
            }
        }
        for tensor in parameters.tensors {
            let error = relativeError(Array(gradient[tensor.range]), whole[tensor.range].map { Float($0) })
            #expect(error < 1e-5, "\(tensor.name)")
        }
    }

    @Test func nothingIsDrawnInEvaluation() {
        func outputs(_ epochs: [Int?]) -> [Float] {
            let network = RecurrentNetwork(
                layout: NetworkLayout(parameters), start: start, dropout: dropout, rows: 3, steps: 9, threads: 1)
            for epoch in epochs {
                network.load(rows, of: dataset, states: carried, parameters: parameters.values, epoch: epoch)
                network.forward(parameters: parameters.values)
            }
            return (0..<9).map { network.outputs[$0] }
        }
        #expect(outputs([1, nil]) == outputs([nil]))
        #expect(outputs([1]) != outputs([nil]) && outputs([1]) != outputs([2]))
    }
}
