import SluiceLSTM
package import SluiceTraining

/// One set-up of an experiment: data, model and training, all of them from a seed.
package struct SetUp: Sendable {
    package let name: String
    /// The best that theory allows; nil where nothing is known.
    package let ceiling: Double?
    /// What PyTorch gave for it, in words; empty where nothing was measured.
    package let expected: String
    package internal(set) var configuration: TrainingConfiguration
    let manifest: ModelManifest
    let hidden: Int
    let series: @Sendable (_ seed: UInt64) -> [TrainingSeries]
}

/// What one set-up gave for one seed.
package struct Measured: Sendable {
    package let seed: UInt64
    /// Accuracy (classifiers) or loss on the validation part behind each epoch, its states carried by the set-up's own
    /// policy.
    package let epochs: [Double]
    /// After the best epoch, with the step kernel: the state reset before every chunk, and carried as in service.
    package let carryGap: CarryGap?
    package let secondsPerEpoch: Double
}

package struct SetUpResult: Sendable {
    package let setUp: SetUp
    package let runs: [Measured]

    /// Over the seeds.
    package func range(_ value: (Measured) -> Double?) -> (low: Double, high: Double)? {
        let values = runs.compactMap(value)
        guard let low = values.min(), let high = values.max() else { return nil }
        return (low, high)
    }

    package func mean(_ value: (Measured) -> Double?) -> Double? {
        let values = runs.compactMap(value)
        return values.isEmpty ? nil : values.reduce(0, +) / Double(values.count)
    }
}

/// What is drawn of it.
package struct Figure: Sendable {
    package struct Line: Sendable {
        package let name: String
        package let points: [(x: Double, y: Double)]
    }

    package let title: String
    package let x, y: String
    package let lines: [Line]
}

/// What is printed of it.
package struct ExperimentReport: Sendable {
    package let header: [String]
    package let rows: [[String]]
    /// One paragraph: what the table says.
    package let reading: String
    package let figures: [Figure]
}

/// A textbook experiment: set-ups that differ in one thing (`training.md`, "The textbook experiments").
package struct Experiment: Sendable {
    package let name: String
    /// What it asks.
    package let question: String
    package let setUps: [SetUp]
    let report: @Sendable ([SetUpResult]) -> ExperimentReport

    package func report(on results: [SetUpResult]) -> ExperimentReport { report(results) }

    package static let all = [longMemory, carry, initialState]

    /// Runs every set-up with every seed, one after the other.
    ///
    /// - Parameter progress: called within each run; the run's number from 0, of all, and how far it is.
    /// - Throws: as `Trainer.train`; `CancellationError` where it is cancelled.
    package func run(
        seeds: [UInt64], isCancelled: @escaping @Sendable () -> Bool = { false },
        progress: (_ run: Int, _ of: Int, _ share: Double) -> Void = { _, _, _ in }
    ) throws -> [SetUpResult] {
        var run = 0
        return try setUps.map { setUp in
            let runs = try seeds.map { seed in
                defer { run += 1 }
                return try setUp.measure(seed, isCancelled) { progress(run, setUps.count * seeds.count, $0) }
            }
            return SetUpResult(setUp: setUp, runs: runs)
        }
    }
}

extension SetUp {
    func measure(
        _ seed: UInt64, _ isCancelled: @escaping @Sendable () -> Bool, progress: (Double) -> Void
    ) throws -> Measured {
        var configuration = configuration
        configuration.seed = seed
        var manifest = manifest
        if manifest.initialState != .zero && manifest.initialState != .learned { manifest.seed = seed }
        let dataset = try Dataset(series(seed), for: manifest)
        let shape = LSTMShape(
            inputs: manifest.inputs.count, hidden: hidden, layers: 1, outputs: manifest.outputs)
        let began = ContinuousClock.now
        var ended = began
        let result = try Trainer.train(
            dataset, manifest: manifest, shape: shape, configuration: configuration, isCancelled: isCancelled,
            isMeasuringCancelled: isCancelled
        ) { step in
            if case .batch(let batch) = step {
                let done = Double(batch.epoch - 1) + Double(batch.batch) / Double(batch.batches)
                progress(done / Double(batch.epochs))
            }
            if case .epoch = step { ended = .now }
        }
        if result.stop == .cancelled || !result.isMeasured { throw CancellationError() }
        return Measured(
            seed: seed,
            epochs: result.epochs.compactMap { epoch in epoch.validation.map { $0.accuracy ?? $0.loss } },
            carryGap: result.carryGap, secondsPerEpoch: (ended - began) / .seconds(1) / Double(result.epochs.count))
    }
}
