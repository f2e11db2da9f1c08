package import SluiceCore
internal import SluiceLSTM

/// The update that `Trainer` does with every batch, again and again on one batch of made-up data, to be measured: takes
/// in the rows, forward, mean squared error at every step, backward, clips, Adam.
package final class RepeatedUpdate {
    private let dataset: Dataset
    private let batch: [BatchPlan.Row]
    private let learner: Learner
    private let states: LaneStates

    /// - Parameters:
    ///   - batch: rows.
    ///   - steps: of each row.
    /// - Throws: never for a network that a model may have.
    package init(inputs: Int, hidden: Int, layers: Int, batch: Int, steps: Int, threads: Int) throws(SluiceError) {
        let names = (0..<inputs).map { "x\($0)" }
        let manifest = ModelManifest(name: "bench", version: "v1", inputs: names, targets: [names[0]])
        var generator = SeededGenerator(seed: 1, stream: .shuffle, index: 0)
        // One row more than steps: each is asked for the one after it.
        let rows = steps + 1
        let series = (0..<batch).map { index in
            var series = TrainingSeries(name: "\(index)")
            series.inputs = Column((0..<rows * inputs).map { _ in generator.uniform(1.7) })
            series.targets = Column((0..<rows).map { series.inputs[$0 * inputs] })
            series.center = Column(repeating: 0, count: rows)
            series.scale = Column(repeating: 1, count: rows)
            series.boundary = Column((0..<rows).map { $0 == 0 })
            series.warm = Column(repeating: true, count: rows)
            series.times = Column((0..<rows).map(Int64.init))
            return series
        }
        dataset = try Dataset(series, for: manifest)
        self.batch = (0..<batch).map {
            BatchPlan.Row(segment: Segment(series: $0, rows: 0..<rows), rows: 0..<steps, lane: $0, resets: true)
        }
        var configuration = TrainingConfiguration()
        configuration.threads = threads
        let shape = LSTMShape(inputs: inputs, hidden: hidden, layers: layers, outputs: 1)
        learner = Learner(
            LSTMParameters(drawnFor: shape, hasInitialState: false, forgetBias: 0, seed: 1), manifest: manifest,
            configuration: configuration, rows: batch, steps: batch * steps)
        states = LaneStates(shape: shape, lanes: batch)
    }

    /// Leaves nothing in outputs and gradient that could be taken for the next update's.
    package func spoil() { learner.spoil(steps: batch.reduce(0) { $0 + $1.rows.count }) }

    /// Whether the last update's gradient is finite, and some of it is not zero.
    package var isSound: Bool {
        let gradient = learner.lastGradient
        return gradient.allSatisfy(\.isFinite) && gradient.contains { $0 != 0 }
    }

    /// One update.
    ///
    /// - Returns: the mean loss before it.
    package func run() -> Double { learner.step(batch, of: dataset, states: states, epoch: 0).mean }
}
