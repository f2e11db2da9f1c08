internal import SluiceCore
package import SluiceLSTM
internal import SluiceNumerics

/// Searches chunk, hidden, learning rate and carry policy by successive halving. The same data, manifest, configuration
/// and number of trials give the same result, however many run at a time and however often it was interrupted.
package enum Tuner {
    /// What is asked for, and how it is kept.
    package struct Request {
        package let trials: Int
        /// What all trials have as it is configured.
        package let fixed: Set<TuningDimension>
        /// What an interrupted search had finished.
        package let finished: TuningRecord?
        /// Called after each trial of each rung; what it throws ends the search.
        package let keep: (TuningRecord) throws -> Void

        package init(
            trials: Int, fixed: Set<TuningDimension> = [], finished: TuningRecord? = nil,
            keep: @escaping (TuningRecord) throws -> Void = { _ in }
        ) {
            self.trials = trials
            self.fixed = fixed
            self.finished = finished
            self.keep = keep
        }
    }

    /// The best trial so far as it was left: what there is if nothing more is trained.
    package struct Standby: Sendable {
        package let trial: TuningTrial
        package let checkpoint: TrainingCheckpoint
    }

    package enum Progress: Sendable {
        /// Epochs of all trials that are done, and that are to be done in all; trials that run at a time.
        case epochs(Double, of: Int, rung: Int, atATime: Int)
        /// A rung has ended: its rows, the best first.
        case rung(Int, of: Int, [TuningResult.Row])
    }

    /// - Parameters:
    ///   - shape: of the configured model, which the trials' widths are drawn around.
    ///   - configuration: of what is not searched; its threads are the trials that run at a time.
    ///   - isCancelled: asked before each batch.
    ///   - progress: called on the caller's thread.
    ///   - standby: told at the end, also where that is an error, of what this search has trained and is best.
    /// - Returns: a table with at least one trial that did not diverge.
    /// - Throws: what `Trainer` throws, `.trainingDiverged` if all trials did; `CancellationError`.
    package static func search(
        _ request: Request, _ dataset: Dataset, manifest: ModelManifest, shape: LSTMShape,
        configuration: TrainingConfiguration, isCancelled: @escaping @Sendable () -> Bool = { false },
        progress: (Progress) -> Void = { _ in }, standby: (Standby) -> Void = { _ in }
    ) throws -> TuningResult {
        try configuration.validate()
        guard configuration.validation > 0 else {
            throw SluiceError(
                .invalidConfiguration, "train.validation is 0: trials are compared by their validation loss")
        }
        let threads = configuration.threads ?? ThreadTeam.cores
        var identity = RunIdentity.entries(dataset, manifest, shape, configuration, set: .best)
        identity["trials"] = "\(request.trials)"
        if !request.fixed.isEmpty { identity["fixed"] = request.fixed.map(\.rawValue).sorted().joined(separator: ", ") }
        if let finished = request.finished { try RunIdentity.check(finished.identity, against: identity, "search") }
        let trainer = TrialTrainer(dataset, manifest, shape, configuration)
        defer { trainer.best.map(standby) }
        let search = TuningSearch(
            trials: (1...request.trials).map {
                TuningTrial(number: $0, around: shape.hidden, seed: configuration.seed)
                    .fixing(request.fixed, configuration, hidden: shape.hidden)
            },
            epochs: configuration.epochs, threads: threads
        ) { trial, rung, isStopped, tell in
            try trainer.measure(trial, in: rung, isCancelled: { isStopped() || isCancelled() }, tell: tell)
        }
        let result = try search.run(
            request.finished ?? TuningRecord(identity: identity), keep: request.keep, progress: progress)
        guard result.standings[0].loss != nil else {
            throw SluiceError(
                .trainingDiverged, "training diverged in each of \(request.trials) trials",
                remedy: "set train.clip, and check the inputs' scaling")
        }
        return result
    }
}
