import SluiceCore
package import SluiceEngine
import SluiceTraining

/// Times one update of training, at the shapes at which the peers are timed (`TRAIN` of the benchmarks' `shapes.py`).
package enum TrainBench {
    /// What is measured: a network, and the rows and steps of a batch.
    package struct Shape: Sendable, Equatable {
        package var inputs, hidden, layers, batch, steps: Int

        /// About what weights and what goes with each of them take, and rows with all that is kept of each step of
        /// theirs: gates, states and gradients.
        package var bytes: Int {
            let weights = 4 * hidden * (inputs + hidden + (layers - 1) * 2 * hidden)
            return 24 * weights + 4 * batch * steps * (2 * inputs + 12 * layers * hidden)
        }

        package init(inputs: Int, hidden: Int, layers: Int, batch: Int, steps: Int) {
            (self.inputs, self.hidden, self.layers, self.batch, self.steps) = (inputs, hidden, layers, batch, steps)
        }
    }

    /// What came of it.
    package struct Result: Sendable {
        package var shape: Shape
        package var threads: Int
        /// Best and median mean time of one update over the repetitions.
        package var microseconds, median: Double
        package var repetitions: Int
    }

    /// At which the peers are timed.
    package static let shapes = [
        (8, 64, 1, 32, 64), (8, 64, 2, 32, 64), (16, 128, 1, 64, 64), (16, 128, 2, 64, 128), (32, 256, 2, 64, 64),
        (1, 10, 1, 64, 10), (1, 10, 1, 1, 20),
    ].map { Shape(inputs: $0, hidden: $1, layers: $2, batch: $3, steps: $4) }

    /// As the peers: means of some calls, best of some repetitions, each here at least some milliseconds.
    private static let (repetitions, calls, leastNanoseconds) = (5, 10, 5_000_000.0)

    /// - Parameter isCancelled: ends it after the update at hand, or after some where they are short.
    /// - Throws: `input-invalid` when updates gave something else than they must; `CancellationError`.
    package static func run(
        _ shape: Shape, threads: Int, clock: some EngineClock, isCancelled: @escaping () -> Bool = { false }
    ) throws -> Result {
        let update = try RepeatedUpdate(
            inputs: shape.inputs, hidden: shape.hidden, layers: shape.layers, batch: shape.batch, steps: shape.steps,
            threads: threads)
        let first = update.run()
        let start = clock.monotonicNanoseconds()
        try LongCalls(calls, isCancelled).run(calls) { _ = update.run() }
        let estimate = max(1, Double(clock.monotonicNanoseconds() - start) / Double(calls))
        let calls = max(calls, min(100_000, Int(leastNanoseconds / estimate)))
        let calling = LongCalls(calls, isCancelled)
        var times: [Double] = []
        for _ in 0..<repetitions {
            let start = clock.monotonicNanoseconds()
            try calling.run(calls - 1) { _ = update.run() }
            var elapsed = clock.monotonicNanoseconds() - start
            // The last update of each repetition is one that must write everything.
            update.spoil()
            let last = clock.monotonicNanoseconds()
            let loss = update.run()
            elapsed += clock.monotonicNanoseconds() - last
            guard loss.isFinite, loss < first, update.isSound else {
                throw SluiceError(.invalidInput, "updates gave no finite gradient, or did not lower the loss")
            }
            times.append(Double(elapsed) / Double(calls) / 1_000)
        }
        times.sort()
        return Result(
            shape: shape, threads: threads, microseconds: times[0], median: times[repetitions / 2],
            repetitions: repetitions)
    }
}
