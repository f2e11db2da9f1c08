internal import Foundation
internal import SluiceCore
internal import SluiceLSTM
internal import SluiceModelFile
internal import SluiceReport
internal import SluiceService
internal import SluiceTraining

/// One run of `sluice train`: reads, trains, tells, writes. Confined to one thread.
final class TrainRun {
    private let job: TrainingJob
    private let output: String
    private var folder: RunFolder?
    /// How many trials, what they have in common, and what an interrupted search had finished.
    typealias Search = (trials: Int, fixed: Set<TuningDimension>, finished: TuningRecord?)
    /// nil: no search.
    private let search: Search?
    private let folds: Int?
    /// The effective configuration, without secrets, with what a search has found.
    private let configuration: (TuningTrial?) throws -> String
    private let report: any TrainReport
    private let bar = ProgressBar(console: .current)
    private let began = ContinuousClock.now
    private var pace = Pace()

    /// Progress between epochs is told in JSON too, now and then: to a parent that takes silence for a fault.
    private let tellsProgress: Bool
    private var toldAt = ContinuousClock.now
    /// Batches of held-out rows since the last epoch.
    private var measured = 0

    /// Where the run was when it was interrupted.
    private let resuming: TrainingCheckpoint?

    init(
        _ job: TrainingJob, output: String, folder: RunFolder?, search: Search?,
        folds: Int?, json: Bool, tellsProgress: Bool = false, resuming: TrainingCheckpoint? = nil,
        configuration: @escaping (TuningTrial?) throws -> String
    ) {
        self.job = job
        self.output = output
        self.folder = folder
        self.search = search
        self.folds = folds
        self.configuration = configuration
        self.tellsProgress = tellsProgress
        self.resuming = resuming
        report = json ? TrainJSON(console: .current) : TrainText(console: .current, job: job, search: search)
    }

    func run(_ source: some ObservationSource, _ interruption: Interruption) throws {
        var outcome: TrainingJob.Outcome
        do {
            outcome = try job.run(
                source, tuning: tuning, folds: folds, resuming: resuming, checkpoint: { try folder?.keep($0) },
                isCancelled: { interruption.isRequested },
                isMeasuringCancelled: { interruption.isRestRequested },
                progress: {
                    if case .training(.trained) = $0 { measures(interruption) }
                    progress($0)
                })
        } catch is CancellationError {
            let kept = search == nil ? nil : folder?.kept
            let none = folds.map { _ in "nothing is kept of folds; without --folds the first epoch leaves a model" }
            throw SluiceError(
                .interrupted, "interrupted before the model's training began: no model was written",
                remedy: kept.map { resumption($0) } ?? none)
        }
        bar.clear()
        outcome.result.model = try ModelFile.write(outcome.result.model, to: output)
        let isInterrupted = outcome.result.stop == .cancelled || !outcome.result.isMeasured
        do {
            if folder != nil {
                let files = try files(outcome)
                try folder?.write(files, isOver: !isInterrupted)
            }
        } catch {
            // The model is there, and is told of first.
            report.done(outcome, path: output, run: nil)
            throw error
        }
        report.done(outcome, path: output, run: folder?.path)
        if let folder, isInterrupted, search != nil || !outcome.result.epochs.isEmpty {
            Console.current.errorLine(resumption(folder.path))
        }
    }

    private func files(_ outcome: TrainingJob.Outcome) throws -> [(name: String, text: String)] {
        let configuration = try configuration(outcome.standby ?? outcome.tuning?.best)
        let page = TrainingPage(
            model: outcome.result.model, result: outcome.result, constantInputs: outcome.constantInputs,
            division: outcome.division, tuning: outcome.tuning, standby: outcome.standby, folds: outcome.folds,
            training: outcome.training, configuration: configuration, started: folder?.started ?? .now,
            seconds: (.now - began) / .seconds(1),
            resumedAfter: resuming?.epochs)
        return [
            ("report.html", page.html), ("metrics.json", TrainJSON.metrics(outcome) + "\n"),
            ("configuration.yaml", configuration),
            ("data.json", (try outcome.result.model.data?.json(isPretty: true) ?? "{}") + "\n"),
        ]
    }

    /// What can be interrupted from now on is the measurement of the model.
    private func measures(_ interruption: Interruption) {
        if interruption.isRequested {
            bar.clear()
            Console.current.errorLine("interrupted: the model is measured; another Ctrl-C leaves that out")
        }
        interruption.beginRest()
    }

    private var tuning: Tuner.Request? {
        search.map { search in
            Tuner.Request(trials: search.trials, fixed: search.fixed, finished: search.finished) { [self] in
                try folder?.keep($0)
            }
        }
    }

    private func resumption(_ folder: String) -> String {
        "the same command with --resume \(folder) goes on from there"
    }

    private func progress(_ progress: TrainingJob.Progress) {
        if tellsProgress { tell(progress) }
        switch progress {
        case .reading(let observations, let share):
            bar.show(share) { "reading, \(observations) observations" }
        case .dataset(let observations, let streams, let rejects, let commands):
            bar.clear()
            report.read(observations, streams, rejects)
            if let commands { report.commands(commands) }
        case .constant(let inputs): report.constant(inputs)
        case .divided(let division): report.divided(division)
        case .tuning(.epochs(let done, let all, let rung, let atATime)):
            bar.show(done / Double(all)) {
                String(format: "rung %d  %.1f of %d epochs, ", rung, done, all) + "\(atATime) at a time"
            }
        case .tuning(.rung(let rung, let count, let rows)):
            bar.clear()
            report.rung(rung, of: count, rows)
        case .tuned(let result): report.tuned(result)
        case .training(let training): trained(training, fold: nil)
        case .fold(let fold, let training): trained(training, fold: fold)
        case .folded(let fold):
            bar.clear()
            pace = Pace()
            report.fold(fold, of: folds ?? 0)
        }
    }

    private func trained(_ progress: TrainingProgress, fold: Int?) {
        switch progress {
        case .batch(let batch):
            let before = fold == nil ? resuming?.observations ?? 0 : 0
            if pace.isNew { bar.begin(at: fold == nil ? Double(resuming?.epochs ?? 0) / Double(batch.epochs) : 0) }
            let since = pace.begin(batch.observations, before: before)
            let share = (Double(batch.epoch - 1) + Double(batch.batch) / Double(batch.batches)) / Double(batch.epochs)
            bar.show(share) {
                let trained = Double(batch.observations - before)
                let rate = ProgressBar.rate(trained, per: (.now - since) / .seconds(1))
                let name = fold.map { "fold \($0) of \(folds ?? 0)  " } ?? ""
                return name + String(format: "epoch %d of %d  loss ", batch.epoch, batch.epochs)
                    + TrainText.loss(batch.loss)
                    + "  " + rate
            }
        case .trained: break
        case .measuring:
            measured += 1
            bar.show(nil) { "measuring on held-out rows, batch \(measured)" }
        case .epoch(let epoch):
            measured = 0
            let rate = pace.endEpoch()
            guard fold == nil else { return }
            bar.clear()
            report.epoch(epoch, rate: rate)
        }
    }

    /// How fast one training goes.
    private struct Pace {
        private var since: ContinuousClock.Instant?
        var isNew: Bool { since == nil }
        private var epochSince = ContinuousClock.now
        private var observations = 0
        private var epochObservations = 0

        /// Returns when it began, with so many observations before it.
        mutating func begin(_ observations: Int, before: Int) -> ContinuousClock.Instant {
            self.observations = observations
            if let since { return since }
            let now = ContinuousClock.now
            (since, epochSince, epochObservations) = (now, now, before)
            return now
        }

        /// Observations a second in the epoch that ends.
        mutating func endEpoch() -> Double {
            let now = ContinuousClock.now
            defer { (epochSince, epochObservations) = (now, observations) }
            return Double(observations - epochObservations) / max(1e-9, (now - epochSince) / .seconds(1))
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
        case .training(.batch(let batch)), .fold(_, .batch(let batch)):
            TrainJSON.tell("training", epoch: batch.epoch, of: batch.epochs)
        case .training(.measuring), .fold(_, .measuring), .training(.trained), .fold(_, .trained):
            TrainJSON.tell("measuring")
        case .tuning: TrainJSON.tell("tuning")
        case .dataset, .constant, .divided, .tuned, .training(.epoch), .fold(_, .epoch), .folded: break
        }
    }
}

/// How training is told.
protocol TrainReport {
    func read(_ observations: Int, _ streams: Int, _ rejects: [String: (count: Int, message: String)])
    /// What was recorded of a topic that was served.
    func commands(_ commands: DataManifest.Commands)
    /// Inputs that never change.
    func constant(_ inputs: [String])
    func divided(_ division: DataDivision)
    func rung(_ rung: Int, of count: Int, _ rows: [TuningResult.Row])
    func tuned(_ result: TuningResult)
    func fold(_ fold: FoldResult, of folds: Int)
    /// - Parameter rate: observations a second.
    func epoch(_ epoch: TrainingProgress.Epoch, rate: Double)
    /// - Parameter run: the run folder; nil for none.
    func done(_ outcome: TrainingJob.Outcome, path: String, run: String?)
}
