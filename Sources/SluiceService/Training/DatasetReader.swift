import SluiceConfiguration
import SluiceCore
import SluiceLSTM
import SluiceSchema
import SluiceTraining

/// Reads a source through the serving pass into training series.
struct DatasetReader {
    struct Reading {
        /// Those that hold observations.
        var series: [TrainingSeries]
        var observations: Int
        var rejects: [String: (count: Int, message: String)]
        var ledger: DataLedger

        var streams: Int { series.count }

        /// - Throws: `input-invalid` where all that was read was refused, with the reasons.
        func checkUsable() throws {
            guard observations == 0, !rejects.isEmpty else { return }
            let reasons = rejects.sorted { $0.key < $1.key }.map { code, reject in
                "\(reject.count) \(code), the first: \(reject.message)"
            }
            throw SluiceError(
                .invalidInput, "none of the observations can be used: " + reasons.joined(separator: "; "),
                remedy: "check input.features, input.time and input.label against a record")
        }
    }

    let job: TrainingJob
    let isCancelled: @Sendable () -> Bool

    /// - Parameter scaler: of `scaling: global`; nil while it is not known yet: inputs are left unscaled, and kept as
    ///   observed too, to measure it by.
    /// - Throws: what is wrong with the source or the configuration; `CancellationError`.
    func read(
        _ source: some ObservationSource, scaler: Model.Scaler?, _ progress: (TrainingJob.Progress) -> Void
    ) throws -> Reading {
        var manifest = job.manifest
        let measures = manifest.scaling == .global && scaler == nil
        if measures { manifest.scaling = .none }
        let model = Model(manifest: manifest, parameters: LSTMParameters(shape: job.shape), scaler: scaler)
        var builder: DatasetBuilder?
        var reading = Reading(series: [], observations: 0, rejects: [:], ledger: DataLedger())
        var read = 0
        var origin: Int?
        try source.forEach { batch in
            if builder == nil || batch.format != nil {
                // Each CSV file brings its own columns.
                let input = try job.configuration.inputSpecification(
                    source.kind, for: manifest.inputs, fileFormat: batch.format)
                if builder == nil {
                    builder = try DatasetBuilder(
                        try job.configuration.foldSpecification(model), input: input, keepsRaw: measures,
                        memory: job.memory)
                } else {
                    try builder?.change(input)
                }
            }
            func reject(_ code: RejectCode, _ message: String) {
                let known = reading.rejects[code.text]
                reading.rejects[code.text] = ((known?.count ?? 0) + 1, known?.message ?? message)
                reading.ledger.reject(of: batch.origin)
            }
            // A file goes on with the streams of the one before.
            if source.kind == .record, origin != batch.origin { builder?.beginPartition() }
            origin = batch.origin
            for command in batch.commands {
                builder?.obey(command.event)
                reading.ledger.repeated(command)
            }
            for record in batch.records {
                let before = builder?.observations
                reading.ledger.read(record.offset, of: batch.origin)
                if let code = builder?.append(record) { reject(code, builder?.message(for: code) ?? "") }
                if builder?.observations != before, let time = builder?.time {
                    reading.ledger.observe(time, of: batch.origin)
                }
            }
            try builder?.spill()
            for refusal in batch.refused { reject(refusal.code, refusal.message) }
            if isCancelled() { throw CancellationError() }
            read += batch.records.count + batch.refused.count
            progress(.reading(observations: read, share: batch.share))
        }
        reading.observations = builder?.observations ?? 0
        reading.series = (try builder.take()?.finish() ?? []).filter { $0.count > 0 }
        return reading
    }
}
