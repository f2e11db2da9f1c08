internal import Glibc
package import SluiceCore
package import SluiceLSTM
internal import SluiceNumerics

/// Trains a model under a carry policy. The same data, manifest, configuration and number of threads give the same
/// bits.
package enum Trainer {
    /// - Parameters:
    ///   - shape: of a model whose inputs and outputs are the manifest's.
    ///   - scaler: of `scaling: global`; goes into the model as it is.
    ///   - split: nil: as the configuration divides the data.
    ///   - incumbent: a model to be measured on the same validation rows.
    ///   - isCancelled: asked before each batch; training then ends with the best model so far.
    ///   - progress: called on the caller's thread after each batch and each epoch.
    /// - Throws: `SluiceError` of codes `.invalidConfiguration`, `.unsupported`, `.invalidInput`, and
    ///   `.trainingDiverged` if there is no epoch to fall back to.
    package static func train(
        _ dataset: Dataset, manifest: ModelManifest, shape: LSTMShape, scaler: Model.Scaler? = nil,
        split: DatasetSplit? = nil, incumbent: Model? = nil, configuration: TrainingConfiguration,
        isCancelled: @Sendable () -> Bool = { false }, progress: (TrainingProgress) -> Void = { _ in }
    ) throws(SluiceError) -> TrainingResult {
        try configuration.validate()
        precondition(
            shape.inputs == manifest.inputs.count && shape.outputs == manifest.outputs, "shape of the manifest")
        try manifest.initialState.checkAvailable("model.initial_state")
        let own: DatasetSplit
        if let split { own = split } else { own = try DatasetSplit(dataset, configuration) }
        var run = TrainingRun(
            dataset: dataset, split: own, manifest: manifest,
            shape: shape, configuration: configuration)
        BLAS.setThreads(configuration.threads ?? max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN))))
        let stop = try run.epochs(isCancelled: isCancelled, progress: progress)
        if case .diverged(let epoch, let batch) = stop, run.history.isEmpty {
            throw SluiceError(
                .trainingDiverged, "training diverged: the loss of epoch \(epoch), batch \(batch) is not finite",
                remedy: "lower train.learning_rate, set train.clip, and check the inputs' scaling")
        }
        return run.result(stop, scaler: scaler, incumbent: incumbent, progress: progress)
    }
}

extension SluiceError.Code {
    package static let trainingDiverged = SluiceError.Code("training-diverged")
}
