import SluiceLSTM
import Testing

@testable import SluiceTraining

/// `strided` is what Keras does with `stateful=True` and `shuffle=False`: `check_keras_strided.py`.
@Suite struct KerasParityTests {
    private struct Golden: Decodable {
        let inputs, labels, losses: Tensor
        let start, end: [String: Tensor]
    }

    private static let (chunk, rows, epochs) = (4, 3, 10)

    /// Losses of the epochs, and the parameters after them.
    private func train(_ golden: Golden, strided: Bool) throws -> (losses: [Float], end: LSTMParameters) {
        let manifest = ModelManifest(name: "m", version: "v1", inputs: ["a", "b"], targets: [], head: .binary)
        let count = golden.labels.values.count
        var series = TrainingSeries(name: "s")
        (series.inputs, series.labels) = (Column(golden.inputs.values), Column(golden.labels.values))
        series.boundary = Column((0..<count).map { $0 == 0 })
        series.warm = Column(repeating: true, count: count)
        series.times = Column((0..<count).map(Int64.init))
        let dataset = try Dataset([series], for: manifest)

        var start = LSTMParameters(shape: LSTMShape(inputs: 2, hidden: 3, layers: 1, outputs: 1))
        for tensor in start.tensors {
            start.values.replaceSubrange(tensor.range, with: golden.start[tensor.name]?.values ?? [])
        }
        var configuration = TrainingConfiguration()
        (configuration.optimizer, configuration.learningRate, configuration.clip) = (.sgd, 0.05, 0)
        let learner = Learner(
            start, manifest: manifest, configuration: configuration, rows: Self.rows, steps: Self.rows * Self.chunk)
        let plan = BatchPlan.inOrder(
            [Segment(series: 0, rows: 0..<count)], policy: strided ? .acrossBatches : .perBatch, order: .strided,
            chunk: Self.chunk, rows: Self.rows)
        let losses = (0..<Self.epochs).map { epoch in
            let states = LaneStates(shape: start.shape, lanes: plan.lanes)
            var total = LossSum()
            for batch in plan.batches { total += learner.step(batch, of: dataset, states: states, epoch: epoch) }
            return Float(total.mean)
        }
        return (losses, learner.parameters)
    }

    @Test func stridedEqualsKeras() throws {
        let golden = try SluiceTrainingTests.Golden.read("keras-strided", as: Golden.self)
        let (losses, end) = try train(golden, strided: true)
        #expect(relativeError(losses, golden.losses.values) < 1e-5)
        for tensor in end.tensors {
            var values = Array(end.values[tensor.range])
            var expected = golden.end[tensor.name]
            if tensor.name.hasPrefix("lstm.bias") {
                // Keras has one bias, the sum of the two.
                let layer = end.layer(0)
                values = zip(end.values[layer.biasIH], end.values[layer.biasHH]).map { $0 + $1 }
                expected = golden.end["bias"]
            }
            #expect(relativeError(values, expected?.values ?? []) < 1e-4, "\(tensor.name)")
        }
        // Without the carried state it is another training.
        #expect(relativeError(try train(golden, strided: false).losses, golden.losses.values) > 1e-3)
    }
}
