import SluiceCore
package import SluiceEngine
import SluiceLSTM
import SluiceNumerics

/// Times one LSTM step for a batch of rows, at the shapes at which the peers are timed, against what the core can do.
package enum StepBench {
    /// What is measured: a network and how many rows take a step at a time.
    package struct Shape: Sendable, Equatable {
        package var inputs, hidden, layers, batch: Int

        package init(inputs: Int, hidden: Int, layers: Int = 1, batch: Int) {
            (self.inputs, self.hidden, self.layers, self.batch) = (inputs, hidden, layers, batch)
        }

        /// About what weights, their packed copy, inputs and both copies of the states take.
        package var bytes: Int {
            let network = LSTMShape(inputs: inputs, hidden: hidden, layers: layers, outputs: 1)
            let padded = network.paddedHidden
            let weights = 4 * padded * (inputs + padded + (layers - 1) * 2 * padded)
            return 8 * weights + 4 * batch * (inputs + 2 * network.stateFloats)
        }

        /// Floating-point operations of the gates' products, all layers: two for each weight and row.
        package var operations: Double {
            Double(batch) * 8 * Double(hidden * (inputs + hidden + (layers - 1) * 2 * hidden))
        }
    }

    /// What came of it.
    package struct Result: Sendable {
        package var shape: Shape
        /// Best and median mean time of one call over the repetitions.
        package var microseconds, median: Double
        package var repetitions: Int
        /// What fused multiply-adds in registers alone came to on the same core, just before and just after.
        package var peakGigaflops: Double

        /// Of the best repetition.
        package var gigaflops: Double { shape.operations / microseconds / 1_000 }
        /// Of the peak.
        package var share: Double { gigaflops / peakGigaflops }
    }

    /// At which the peers are timed.
    package static let shapes = [(1, 32), (8, 64), (64, 64), (16, 128), (32, 256)].flatMap { inputs, hidden in
        [1, 8, 64, 256, 1024, 4096].map { Shape(inputs: inputs, hidden: hidden, batch: $0) }
    }
    /// As the peers.
    private static let repetitions = 5

    /// - Parameter isCancelled: ends it after the call at hand, or after some where they are short.
    /// - Throws: `input-invalid` when the step, or the multiply-adds of the peak, gave something else than they must;
    ///   `CancellationError`.
    package static func run(
        _ shape: Shape, clock: some EngineClock, isCancelled: @escaping () -> Bool = { false }
    ) throws -> Result {
        setFoldFloatEnvironment()
        let rows = StepRows(shape)
        // As the peers.
        let calls = max(3, min(3_000, Int(2e8 / shape.operations)))
        let calling = LongCalls(calls, isCancelled)
        let before = try peak(clock)
        try calling.run(calls) { rows.step() }
        var times: [Double] = []
        for _ in 0..<repetitions {
            let start = clock.monotonicNanoseconds()
            try calling.run(calls - 1) { rows.step() }
            var elapsed = clock.monotonicNanoseconds() - start
            // The last call of each repetition is one that must write everything.
            rows.spoil()
            let last = clock.monotonicNanoseconds()
            rows.step()
            elapsed += clock.monotonicNanoseconds() - last
            guard rows.isSound else { throw SluiceError(.invalidInput, "the step gave something else than it must") }
            times.append(Double(elapsed) / Double(calls) / 1_000)
        }
        times.sort()
        return Result(
            shape: shape, microseconds: times[0], median: times[repetitions / 2], repetitions: repetitions,
            peakGigaflops: max(before, try peak(clock)))
    }

    /// GFLOP/s of multiply-adds in registers, at best: each time a moment short enough to be undisturbed.
    private static func peak(_ clock: some EngineClock) throws -> Double {
        let (set, leastNanoseconds) = (InstructionSet.best, Int64(250_000))
        var (rounds, best) = (64, 0.0)
        for _ in 0..<40 {
            let start = clock.monotonicNanoseconds()
            let operations = set.multiplyAdds(rounds: rounds)
            let elapsed = max(1, clock.monotonicNanoseconds() - start)
            guard operations > 0 else {
                throw SluiceError(.invalidInput, "the multiply-adds of the peak gave something else than they must")
            }
            if elapsed < leastNanoseconds { rounds *= 2 } else { best = max(best, operations / Double(elapsed)) }
        }
        return best
    }
}
