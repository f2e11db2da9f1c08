package import SluiceCore
package import SluiceLSTM
internal import SluiceNumerics

/// Trains a model under a carry policy. The same data, manifest and configuration give the same bits, whatever the
/// number of threads, on processors of one instruction set.
package enum Trainer {
    /// - Parameters:
    ///   - shape: of a model whose inputs and outputs are the manifest's.
    ///   - scaler: of `scaling: global`; goes into the model as it is.
    ///   - split: nil: as the configuration divides the data.
    ///   - incumbent: a model to be measured on the same validation rows.
    ///   - resuming: goes on from there, to the bits of a run that was never interrupted.
    ///   - checkpoint: called at the end of each epoch; what it throws ends training.
    ///   - isCancelled: asked before each batch; training then ends with the best model so far.
    ///   - isMeasuringCancelled: asked before each batch of the held-out rows that the best model is measured on when
    ///     training has ended.
    ///   - progress: called on the caller's thread after each batch and each epoch.
    /// - Throws: `SluiceError` of codes `.invalidConfiguration`, `.invalidInput`, `.foreignCheckpoint`, and
    ///   `.trainingDiverged` if there is no epoch to fall back to.
    package static func train(
        _ dataset: Dataset, manifest: ModelManifest, shape: LSTMShape, scaler: Model.Scaler? = nil,
        split: DatasetSplit? = nil, incumbent: Model? = nil, configuration: TrainingConfiguration,
        resuming: TrainingCheckpoint? = nil, checkpoint: TrainingCheckpoint.Keeper = { _ in },
        isCancelled: @Sendable () -> Bool = { false }, isMeasuringCancelled: @Sendable () -> Bool = { false },
        progress: (TrainingProgress) -> Void = { _ in }
    ) throws -> TrainingResult {
        try configuration.validate()
        precondition(
            shape.inputs == manifest.inputs.count && shape.outputs == manifest.outputs, "shape of the manifest")
        var run = try TrainingRun(
            dataset: dataset, split: try split ?? DatasetSplit(dataset, configuration), manifest: manifest,
            shape: shape, configuration: configuration,
            identity: RunIdentity.entries(dataset, manifest, shape, configuration, set: .best))
        if let resuming { try run.resume(resuming) }
        let stop = try run.epochs(isCancelled: isCancelled, checkpoint: checkpoint, progress: progress)
        if case .diverged(let epoch, let batch) = stop, run.history.isEmpty {
            throw SluiceError(
                .trainingDiverged, "training diverged: the loss of epoch \(epoch), batch \(batch) is not finite",
                remedy: "lower train.learning_rate, set train.clip, and check the inputs' scaling")
        }
        progress(.trained)
        return run.result(
            stop, scaler: scaler, incumbent: incumbent, isCancelled: isMeasuringCancelled, progress: progress)
    }
}

extension SluiceError.Code {
    package static let trainingDiverged = SluiceError.Code("training-diverged")
}
