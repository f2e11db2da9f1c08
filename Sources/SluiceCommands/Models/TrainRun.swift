internal import Foundation
internal import SluiceConfiguration
internal import SluiceCore
internal import SluiceLSTM
internal import SluiceModelFile
internal import SluiceService
internal import SluiceTraining

/// One run of `sluice train`: reads, trains, tells, writes. Confined to one thread.
final class TrainRun {
    private let job: TrainingJob
    private let output: String
    private let report: any TrainReport
    private let bar = ProgressBar(console: .current)
    /// When training began, and how far it was when the epoch at hand began.
    private var trainingSince: ContinuousClock.Instant?
    private var epochSince = ContinuousClock.now
    private var epochObservations = 0
    private var observations = 0

    /// Progress between epochs is told in JSON too, now and then: to a parent that takes silence for a fault.
    private let tellsProgress: Bool
    private var toldAt = ContinuousClock.now

    /// Where the run is kept, and where it was when it was interrupted.
    private let checkpoints: CheckpointFile?
    private let resuming: TrainingCheckpoint?
    private let tuning: Tuner.Request?

    init(
        _ job: TrainingJob, output: String, json: Bool, tellsProgress: Bool = false,
        checkpoints: CheckpointFile? = nil, resuming: TrainingCheckpoint? = nil, tuning: Tuner.Request? = nil
    ) {
        self.job = job
        self.tuning = tuning
        self.output = output
        self.tellsProgress = tellsProgress
        self.checkpoints = checkpoints
        self.resuming = resuming
        epochObservations = resuming?.observations ?? 0
        report = json ? TrainJSON(console: .current) : TrainText(console: .current, job: job, trials: tuning?.trials)
    }

    func run(_ source: some ObservationSource, _ interruption: Interruption) throws {
        let outcome: TrainingJob.Outcome
        do {
            outcome = try job.run(
                source, tuning: tuning, resuming: resuming,
                checkpoint: { try checkpoints?.write($0) },
                isCancelled: { interruption.isRequested }, progress: { progress($0) })
        } catch is CancellationError {
            throw SluiceError(
                .interrupted, "interrupted before training began: no model was written",
                remedy: tuning == nil ? nil : checkpoints.map { "'sluice train \(resumption($0))' goes on" })
        }
        bar.clear()
        let saved = try ModelFile.write(outcome.result.model, to: output)
        report.done(outcome, path: output, version: saved.manifest.version, hash: saved.hash)
        if let checkpoints, outcome.result.stop == .cancelled {
            Console.current.errorLine("'sluice train \(resumption(checkpoints))' goes on with the epoch at hand")
        }
    }

    private func resumption(_ checkpoints: CheckpointFile) -> String {
        (tuning.map { "--tune \($0.trials) " } ?? "") + "--resume \(checkpoints.folder)"
    }

    private func progress(_ progress: TrainingJob.Progress) {
        if tellsProgress { tell(progress) }
        switch progress {
        case .reading(let observations, let share):
            bar.show(share) { "reading, \(observations) observations" }
        case .dataset(let observations, let streams, let rejects):
            bar.clear()
            report.read(observations, streams, rejects)
        case .tuning(.epochs(let done, let all, let rung, let atATime)):
            bar.show(done / Double(all)) {
                String(format: "rung %d  %.1f of %d epochs, ", rung, done, all) + "\(atATime) at a time"
            }
        case .tuning(.rung(let rung, let count, let rows)):
            bar.clear()
            report.rung(rung, of: count, rows)
        case .tuned(let result): report.tuned(result)
        case .training(.batch(let batch)):
            let since = trainingSince ?? .now
            if trainingSince == nil {
                trainingSince = since
                epochSince = since
            }
            observations = batch.observations
            let share = (Double(batch.epoch - 1) + Double(batch.batch) / Double(batch.batches)) / Double(batch.epochs)
            bar.show(share) {
                let trained = Double(batch.observations - (resuming?.observations ?? 0))
                let rate = ProgressBar.rate(trained, per: (.now - since) / .seconds(1))
                return String(format: "epoch %d of %d  loss %.4f  ", batch.epoch, batch.epochs, batch.loss) + rate
            }
        case .training(.measuring): break
        case .training(.epoch(let epoch)):
            bar.clear()
            let now = ContinuousClock.now
            report.epoch(
                epoch, rate: Double(observations - epochObservations) / max(1e-9, (now - epochSince) / .seconds(1)))
            (epochSince, epochObservations) = (now, observations)
        }
    }
}

extension TrainRun {
    private static var tellEvery: Duration { .seconds(1) }

    private func tell(_ progress: TrainingJob.Progress) {
        guard .now - toldAt >= Self.tellEvery else { return }
        toldAt = .now
        switch progress {
        case .reading(let observations, _): TrainJSON.tell("reading \(observations) observations")
        case .training(.batch(let batch)): TrainJSON.tell("training", epoch: batch.epoch, of: batch.epochs)
        case .training(.measuring): TrainJSON.tell("measuring")
        case .tuning: TrainJSON.tell("tuning")
        case .dataset, .tuned, .training(.epoch): break
        }
    }
}

/// How training is told.
protocol TrainReport {
    func read(_ observations: Int, _ streams: Int, _ rejects: [String: (count: Int, message: String)])
    func rung(_ rung: Int, of count: Int, _ rows: [TuningResult.Row])
    func tuned(_ result: TuningResult)
    /// - Parameter rate: observations a second.
    func epoch(_ epoch: TrainingProgress.Epoch, rate: Double)
    func done(_ outcome: TrainingJob.Outcome, path: String, version: String, hash: String)
}
