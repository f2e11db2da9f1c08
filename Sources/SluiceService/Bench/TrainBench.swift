package import SluiceCore
package import SluiceEngine
import SluiceTraining

/// Times one update of training, at the shapes at which the peers are timed (`TRAIN` of the benchmarks' `shapes.py`).
package enum TrainBench {
    package struct Shape: Sendable, Equatable {
        package var inputs, hidden, layers, batch, steps: Int

        package init(inputs: Int, hidden: Int, layers: Int, batch: Int, steps: Int) {
            (self.inputs, self.hidden, self.layers, self.batch, self.steps) = (inputs, hidden, layers, batch, steps)
        }
    }

    package struct Result: Sendable {
        package var shape: Shape
        package var threads: Int
        /// Best and median mean time of one update over the repetitions.
        package var microseconds, median: Double
        package var repetitions: Int
    }

    package static let shapes = [
        (8, 64, 1, 32, 64), (8, 64, 2, 32, 64), (16, 128, 1, 64, 64), (16, 128, 2, 64, 128), (32, 256, 2, 64, 64),
        (1, 10, 1, 64, 10), (1, 10, 1, 1, 20),
    ].map { Shape(inputs: $0, hidden: $1, layers: $2, batch: $3, steps: $4) }

    /// As the peers: means of some calls, best of some repetitions, each here at least some milliseconds.
    private static let (repetitions, calls, leastNanoseconds) = (7, 10, 5_000_000.0)

    /// - Throws: `input-invalid` when updates gave something else than they must.
    package static func run(_ shape: Shape, threads: Int, clock: some EngineClock) throws(SluiceError) -> Result {
        let update = try RepeatedUpdate(
            inputs: shape.inputs, hidden: shape.hidden, layers: shape.layers, batch: shape.batch, steps: shape.steps,
            threads: threads)
        let first = update.run()
        let start = clock.monotonicNanoseconds()
        for _ in 0..<calls { _ = update.run() }
        let estimate = max(1, Double(clock.monotonicNanoseconds() - start) / Double(calls))
        let calls = max(calls, min(100_000, Int(leastNanoseconds / estimate)))
        var times: [Double] = []
        for _ in 0..<repetitions {
            let start = clock.monotonicNanoseconds()
            for _ in 1..<calls { _ = update.run() }
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
