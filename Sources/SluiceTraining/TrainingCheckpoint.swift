package import SluiceCore

/// What training has become by the end of an epoch: enough to go on to the very bits of a run that was never
/// interrupted. States are not part of it, as each epoch begins with the initial ones; nor are generators, as draws are
/// keyed by the epoch.
package struct TrainingCheckpoint: Sendable, Equatable {
    /// All but the large arrays.
    package struct Progress: Codable, Sendable, Equatable {
        /// What the run is of, by name: each setting, the model's manifest and shape, the data.
        let identity: [String: String]
        let observations: Int
        let bestEpoch: Int
        let bestLoss: Double
        /// Of the optimizer.
        let updates: Int
        let learningRate: LearningRate
        let epochs: [TrainingProgress.Epoch]
    }

    /// Keeps one; what it throws ends training.
    package typealias Keeper = (TrainingCheckpoint) throws -> Void

    package let progress: Progress
    /// `[4][N]`: the parameters, the best ones so far, the optimizer's two moments.
    package let values: [Float]

    /// - Returns: nil where `values` are not four arrays of one length.
    package init?(progress: Progress, values: [Float]) {
        guard values.count % 4 == 0 else { return nil }
        self.progress = progress
        self.values = values
    }

    init(progress: Progress, parameters: [Float], best: [Float], moments: [Float]) {
        self.progress = progress
        values = parameters + best + moments
    }

    var count: Int { values.count / 4 }
    var parameters: [Float] { Array(values[..<count]) }
    var best: [Float] { Array(values[count..<2 * count]) }
    var moments: [Float] { Array(values[(2 * count)...]) }

    /// Epochs that have ended.
    package var epochs: Int { progress.epochs.count }
    /// Trained on in those.
    package var observations: Int { progress.observations }

    /// - Throws: `checkpoint-foreign`, with all that differs, unless the checkpoint is of a run of that identity with
    ///   `count` parameters.
    func check(_ identity: [String: String], count: Int) throws(SluiceError) {
        try RunIdentity.check(progress.identity, against: identity, "checkpoint")
        guard self.count == count else {
            throw RunIdentity.foreign("checkpoint", "it has \(self.count) parameters, not \(count)")
        }
    }
}

extension SluiceError.Code {
    package static let foreignCheckpoint = SluiceError.Code("checkpoint-foreign")
}
