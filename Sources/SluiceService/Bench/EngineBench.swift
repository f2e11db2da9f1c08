import Foundation
package import SluiceEngine
import SluiceLSTM

/// Times the engine without a broker: records in memory are decoded, folded and answered with encoded predictions.
package enum EngineBench {
    /// What is measured.
    package struct Settings: Sendable, Hashable {
        /// Of all workers together.
        package var streams: Int
        package var features, hidden, layers, batch: Int
        /// Of all workers together, at least one each.
        package var partitions: Int
        /// Threads, each with an engine of its own.
        package var workers: Int
        /// Of all repetitions together.
        package var seconds: Double

        package init(
            streams: Int = 10_000, features: Int = 8, hidden: Int = 64, layers: Int = 1, batch: Int = 1_024,
            partitions: Int = 1, workers: Int = 1, seconds: Double
        ) {
            (self.streams, self.features, self.hidden) = (streams, features, hidden)
            (self.layers, self.batch, self.seconds) = (layers, batch, seconds)
            (self.partitions, self.workers) = (max(partitions, workers), workers)
        }

        /// About what slots, records and the network take: of a feature 22 bytes in the slot, and as much text.
        package var bytes: Int {
            let step = StepBench.Shape(inputs: features, hidden: hidden, layers: layers, batch: batch).bytes
            let records = max(streams, SyntheticRecords.countMin) * (22 * features + 150)
            let state = 4 * LSTMShape(inputs: features, hidden: hidden, layers: layers, outputs: 1).stateFloats
            return streams * (state + 22 * features + 150) + records + workers * step
        }
    }

    /// What came of it.
    package struct Result: Sendable {
        package var settings: Settings
        /// Of the best repetition, and of the median one; all workers together.
        package var recordsPerSecond: Double
        package var median: Double
        package var repetitions: Int
        package var memory: Memory
        /// The longest processor time of one batch while all streams were new.
        package var longestMilliseconds: Double
    }

    /// What all streams together take, in bytes.
    package struct Memory: Sendable {
        /// By which the process grew, buffers for batches and the model's weights included.
        package var resident: Int
        /// What the engine itself says.
        package var counted: Int
        /// h and c alone: 2·L·H·4 for each stream.
        package var raw: Int
    }

    /// How far it is.
    package struct Progress: Sendable {
        /// 0 to 1.
        package var share: Double
        /// Of the last repetition; nil while records are made and streams are new.
        package var recordsPerSecond: Double?
    }

    static let repetitions = 7

    /// - Parameters:
    ///   - progress: told after each repetition, and some times a second before the first.
    ///   - isCancelled: ends it after the batch at hand.
    /// - Throws: `CancellationError` when it was cancelled before the first repetition was over.
    package static func run(
        _ settings: Settings, clock: some EngineClock & Sendable, progress: (Progress) -> Void = { _ in },
        isCancelled: @escaping @Sendable () -> Bool = { false }
    ) throws -> Result {
        let crew = EngineCrew(settings, clock: clock, isCancelled: isCancelled)
        for worker in 1..<settings.workers { Thread { crew.work(worker) }.start() }
        crew.work(0, progress)
        let (shares, resident) = try crew.outcome()
        let complete = shares.map(\.rates.count).min() ?? 0
        let rates = (0..<complete).map { repetition in shares.reduce(0) { $0 + $1.rates[repetition] } }.sorted()
        return Result(
            settings: settings, recordsPerSecond: rates[complete - 1], median: rates[complete / 2],
            repetitions: complete,
            memory: Memory(
                resident: resident, counted: shares.reduce(0) { $0 + $1.stateBytes },
                raw: settings.streams * settings.layers * settings.hidden * 8),
            longestMilliseconds: Double(shares.map(\.longest).max() ?? 0) / 1e6)
    }
}
