internal import SluiceCore
internal import SluiceLSTM
internal import Synchronization

/// Trains trials up to an epoch and measures them. Those that may go on are kept as they are by then.
final class TrialTrainer: Sendable {
    private let dataset: Dataset
    private let manifest: ModelManifest
    private let shape: LSTMShape
    private let configuration: TrainingConfiguration
    /// By the trial's number; a third of a rung's trials at most.
    private let kept = Mutex<[Int: (row: TuningResult.Row, checkpoint: TrainingCheckpoint)]>([:])

    init(
        _ dataset: Dataset, _ manifest: ModelManifest, _ shape: LSTMShape,
        _ configuration: TrainingConfiguration
    ) {
        self.dataset = dataset
        self.manifest = manifest
        self.shape = shape
        self.configuration = configuration
    }

    /// Goes on where the trial was left, or begins it anew: that makes no difference but in time.
    ///
    /// - Parameter tell: is told the epochs that the trial has trained, in fractions too.
    /// - Throws: what `Trainer` throws, but for a divergence; `CancellationError`.
    func measure(
        _ trial: TuningTrial, in rung: SuccessiveHalving.Rung, isCancelled: @Sendable () -> Bool,
        tell: (Double) -> Void
    ) throws -> TuningResult.Row {
        var configuration = trial.applied(to: configuration)
        // Trials run beside one another.
        configuration.threads = 1
        let before = kept.withLock { $0.removeValue(forKey: trial.number) }
        var last = before?.checkpoint
        let isOver = Atomic<Bool>(false)
        let result: TrainingResult
        do {
            result = try Trainer.train(
                dataset, manifest: manifest, shape: trial.applied(to: shape),
                configuration: configuration, resuming: last,
                checkpoint: {
                    last = $0
                    if $0.epochs >= rung.epochs { isOver.store(true, ordering: .relaxed) }
                },
                isCancelled: { isOver.load(ordering: .relaxed) || isCancelled() }, isMeasuringCancelled: isCancelled,
                progress: {
                    guard case .batch(let batch) = $0 else { return }
                    tell(Double(batch.epoch - 1) + Double(batch.batch) / Double(batch.batches))
                })
        } catch let error as SluiceError where error.code == .trainingDiverged {
            return TuningResult.Row(trial: trial, rung: rung.number, epochs: 0, loss: nil)
        }
        if result.stop == .cancelled && result.epochs.count < rung.epochs || !result.isMeasured {
            // What it was worth before it still is.
            if let before { kept.withLock { $0[trial.number] = before } }
            throw CancellationError()
        }
        let row = TuningResult.Row(
            trial: trial, rung: rung.number, epochs: result.epochs.count, loss: try Self.loss(result))
        if let last, row.loss != nil { keep(row, last, atMost: rung.survivors) }
        return row
    }

    /// Of what is kept the one with the smallest loss: all are measured on the same rows.
    var best: Tuner.Standby? {
        kept.withLock { $0.values.min { TuningResult.Row.isBetter($0.row, $1.row) } }.map {
            Tuner.Standby(trial: $0.row.trial, checkpoint: $0.checkpoint)
        }
    }

    private static func loss(_ result: TrainingResult) throws -> Double? {
        if case .diverged = result.stop { return nil }
        guard let carried = result.carryGap?.carried, carried.count > 0 else {
            throw SluiceError(
                .invalidInput, "no observation of the validation part has a target or label to compare trials by",
                remedy: "bring more observations, or set train.validation to a larger part")
        }
        return carried.loss.isFinite ? carried.loss : nil
    }

    private func keep(_ row: TuningResult.Row, _ checkpoint: TrainingCheckpoint, atMost limit: Int) {
        kept.withLock { kept in
            kept[row.trial.number] = (row, checkpoint)
            let same = kept.values.map(\.row).filter { $0.rung == row.rung }.sorted(by: TuningResult.Row.isBetter)
            for one in same.dropFirst(limit) { kept[one.trial.number] = nil }
        }
    }
}
