import SluiceCore
import SluiceLSTM
import SluiceNumerics
import Testing

@testable import SluiceTraining

/// What is drawn: weights, dropout, initial states.
@Suite struct DrawTests {
    private static let shape = LSTMShape(inputs: 3, hidden: 8, layers: 2, outputs: 5)

    private func drawn(_ weights: WeightInitialization, forgetBias: Int = 0, seed: UInt64 = 0) -> LSTMParameters {
        LSTMParameters(
            drawnFor: Self.shape, hasInitialState: false, weights: weights, forgetBias: forgetBias, seed: seed)
    }

    /// The matrices of a tensor: one for each gate.
    private func gates(_ parameters: LSTMParameters, _ tensor: LSTMParameters.Tensor) -> [[[Double]]] {
        let gates = tensor.name == "head.weight" ? 1 : 4
        let (rows, columns) = (tensor.shape[0] / gates, tensor.shape[1])
        let values = parameters.values[tensor.range].map(Double.init)
        return (0..<gates).map { gate in
            (0..<rows).map { row in
                Array(values[((gate * rows + row) * columns)..<((gate * rows + row + 1) * columns)])
            }
        }
    }

    @Test(arguments: [(WeightInitialization.xavier, true), (.kaiming, false)])
    func uniformWeightsFillTheRangeOfTheirGatesFans(_ weights: WeightInitialization, countsFanOut: Bool) {
        let parameters = drawn(weights)
        for tensor in parameters.tensors where tensor.name.contains("weight") {
            let rows = tensor.name == "head.weight" ? tensor.shape[0] : Self.shape.hidden
            let bound = (6 / Float(tensor.shape[1] + (countsFanOut ? rows : 0))).squareRoot()
            let largest = parameters.values[tensor.range].map { abs($0) }.max() ?? 0
            #expect(largest <= bound && largest > 0.8 * bound, "\(tensor.name)")
        }
    }

    @Test func orthogonalWeightsAreOrthonormalGateByGate() {
        let parameters = drawn(.orthogonal)
        for tensor in parameters.tensors where tensor.name.contains("weight") {
            for matrix in gates(parameters, tensor) {
                let vectors =
                    matrix.count <= matrix[0].count
                    ? matrix : matrix[0].indices.map { column in matrix.map { $0[column] } }
                for (i, a) in vectors.enumerated() {
                    for (j, b) in vectors.enumerated() {
                        let product = zip(a, b).reduce(0) { $0 + $1.0 * $1.1 }
                        #expect(abs(product - (i == j ? 1 : 0)) < 1e-6, "\(tensor.name)")
                    }
                }
            }
        }
    }

    @Test(arguments: WeightInitialization.allCases)
    func weightsComeFromTheSeedAndBiasesAreZeroButPyTorchs(_ weights: WeightInitialization) {
        #expect(drawn(weights) == drawn(weights))
        #expect(drawn(weights) != drawn(weights, seed: 1))
        let parameters = drawn(weights, forgetBias: 1)
        let layer = parameters.layer(1)
        #expect(parameters.values[layer.biasIH].dropFirst(8).prefix(8).allSatisfy { $0 == 1 })
        #expect(parameters.values[layer.biasHH].dropFirst(8).prefix(8).allSatisfy { $0 == 0 })
        #expect(parameters.values[layer.biasIH].prefix(8).allSatisfy { $0 == 0 } == (weights != .pytorch))
    }

    @Test func normalDrawsHaveMeanZeroAndDeviationOne() {
        var generator = SeededGenerator(seed: 3, stream: .initialState)
        let draws = (0..<20_000).map { _ in Double(generator.normal()) }
        let mean = draws.reduce(0, +) / 20_000
        let square = draws.reduce(0) { $0 + $1 * $1 } / 20_000
        #expect(abs(mean) < 0.02 && abs(square - 1) < 0.03)
    }

    @Test func dropoutDropsItsShareAndIsTheSameInAnyArrangement() throws {
        // More than a block of units, and more than one mask.
        let shape = LSTMShape(inputs: 1, hidden: 20, layers: 3, outputs: 1)
        let parameters = LSTMParameters(shape: shape)
        let network = RecurrentNetwork(
            layout: NetworkLayout(parameters), start: RowStart(Synthetic.point, seed: 5),
            dropout: Dropout(rate: 0.25, seed: 5), rows: 5, steps: 400, threads: 1)
        let states = LaneStates(shape: shape, lanes: 5)
        let series = ["a", "b"].map { Synthetic.wave(200, name: $0) }
        let dataset = try Dataset(series, for: Synthetic.point)
        let segments = [Segment(series: 0, rows: 0..<200), Segment(series: 1, rows: 0..<200)]
        /// The mask of each observation.
        func masks(_ rows: [BatchPlan.Row], epoch: Int) -> [[Int]: [Float]] {
            network.load(rows, of: dataset, states: states, parameters: parameters.values, epoch: epoch)
            var masks: [[Int]: [Float]] = [:]
            for (j, row) in network.batch.rows.enumerated() {
                for (step, index) in row.rows.enumerated() {
                    let place = 16 * (network.batch.rows.count + network.batch.offsets[step] + j)
                    masks[[row.segment.series, index]] = (0..<2).flatMap { layer in
                        let mask = network.arithmetic.mask(layer: layer) + place
                        return (0..<20).map { mask[$0 / 16 * network.arithmetic.stride + $0 % 16] }
                    }
                }
            }
            return masks
        }
        let whole = masks(BatchPlan.lanes(segments, chunk: 200, rows: 2).batches[0], epoch: 1)
        let parts = BatchPlan.perBatch(segments, chunk: 7, rows: 5).batches.map { masks($0, epoch: 1) }
        #expect(parts.allSatisfy { part in part.allSatisfy { whole[$0.key] == $0.value } })
        let values = whole.values.flatMap { $0 }
        #expect(Set(values) == [0, 1 / 0.75])
        #expect(abs(Double(values.filter { $0 == 0 }.count) / Double(values.count) - 0.25) < 0.03)
        #expect(masks(BatchPlan.lanes(segments, chunk: 200, rows: 2).batches[0], epoch: 2) != whole)
    }

    /// h and c of a layer at a row of a dataset of two streams with a boundary at every third row.
    private func starts(_ manifest: ModelManifest) throws -> (String, Int, _ layer: Int, _ epoch: Int?) -> [Float] {
        let start = RowStart(manifest, seed: 1)
        let dataset = try Dataset(
            ["a", "b"].map { Synthetic.wave(30, name: $0, boundaryEvery: 3) }, for: manifest)
        return { stream, row, layer, epoch in
            let series = stream == "a" ? 0 : 1
            let planned = BatchPlan.Row(
                segment: Segment(series: series, rows: row..<row + 1), rows: row..<row + 1, lane: 0, resets: true)
            var (h, c) = ([Float](repeating: 9, count: 6), [Float](repeating: 9, count: 6))
            start.fill(
                &h, &c, hidden: 6, layer: layer, learned: nil, start.key(of: planned, in: dataset, epoch: epoch))
            return h + c
        }
    }

    @Test func initialStatesAreDrawnForEachResetAndEpochAndAreTheMeanInEvaluation() throws {
        var manifest = Synthetic.point
        (manifest.initialState, manifest.initialStateRange) = (.uniform, [2, 4])
        let state = try starts(manifest)
        let drawn = [
            state("a", 0, 0, 0), state("b", 0, 0, 0), state("a", 1, 0, 0), state("a", 0, 0, 1), state("a", 0, 1, 0),
        ]
        #expect(Set(drawn.flatMap { $0 }).count == 5 * 12)
        #expect(drawn.flatMap { $0 }.allSatisfy { $0 >= 2 && $0 < 4 })
        #expect(drawn[0] == state("a", 0, 0, 0))
        #expect(state("a", 0, 0, nil) == [Float](repeating: 3, count: 12))
    }

    @Test func withNoiseEvaluationDrawsWhatServiceDoes() throws {
        var manifest = Synthetic.point
        (manifest.initialState, manifest.initialStateNoise, manifest.seed) = (.normal, true, 4)
        let state = try starts(manifest)
        let shape = LSTMShape(inputs: 1, hidden: 6, layers: 2, outputs: 1)
        let service = InitialStates(Model(manifest: manifest, parameters: LSTMParameters(shape: shape)))
        func served(_ stream: String, _ ordinal: UInt64, layer: Int) -> [Float] {
            var block = [Float](repeating: 9, count: shape.stateFloats)
            let key = Array(stream.utf8).withUnsafeBytes { xxHash64($0) }
            service.draw(&block, InitialDraws.Key(stream: key, ordinal: ordinal))
            let h = 2 * layer * shape.paddedHidden
            return Array(block[h..<h + 6] + block[h + shape.paddedHidden..<h + shape.paddedHidden + 6])
        }
        #expect(state("b", 0, 0, nil) == served("b", 0, layer: 0))
        #expect(state("b", 6, 1, nil) == served("b", 2, layer: 1))
        // A chunk's reset, which no service makes.
        let ordinals = (0..<10).map { served("b", $0, layer: 0) }
        #expect(!ordinals.contains(state("b", 7, 0, nil)) && state("b", 7, 0, nil) != state("b", 8, 0, nil))
        #expect(state("b", 6, 1, 0) != served("b", 2, layer: 1))
    }
}
