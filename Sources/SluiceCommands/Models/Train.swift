internal import ArgumentParser
internal import Foundation
internal import SluiceConfiguration
internal import SluiceCore
internal import SluiceModelFile
internal import SluiceService
internal import SluiceTraining

/// `sluice train`.
struct Train: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Train a model offline, carrying state as 'serve' does.",
        discussion: """
            From files (--data, CSV or JSON lines) or from the input topic (--from-topic). \
            Files need no configuration: without one the features are the columns of the CSV header besides stream, \
            time, sequence, boundary and label, or the values of the first JSON record. Every setting of train: is a \
            flag below; --set takes all others.

            --from-topic reads the last retrain.window, or from --from to --until, by the records' timestamps in \
            Kafka; or, with --data-of MODEL, the very offsets that a model was trained on: with the same settings and \
            seed to the same bits. Resets that <application>.events has on record are boundaries, as in the service, \
            and so are imports. What was read, those commands included, is in the model: 'sluice models show'.

            Carry policies: what a row's state is at the start of a batch. Rows never share one, and only declared \
            boundaries set it back.

              per-batch         the initial state, always
                                also: option 1; Keras stateful=False; PyTorch without
                                (h, c)
              across-batches    the final state of the same row in the batch before,
                                detached (truncated back-propagation)
                                also: option 2a; "stateful batches"; Keras stateful=True,
                                whose order of rows is --order strided
              across-sequences  the final state of the row above in the same batch
                                also: option 2b; in some texts "stateful batches", with
                                2a as "stateless batches". Its gradient runs through the
                                whole batch: it holds rows x chunk steps of activations

            After training the carry gap says whether the policy suits how the model is served, and a table what its \
            forecasts are worth beside the last value and the value a day before.

            A run folder keeps the state of training, after epochs, while it lasts, and then the report of it all, \
            report.html, with metrics.json, configuration.yaml and data.json. Ctrl-C ends training and writes the best \
            model so far, with its report: in a search the best trial so far (in the folds without one there is none \
            yet). Ctrl-C as it is measured leaves the rest of that out. --resume goes on from there. A loss that is \
            not finite, or 10 times the first epoch's, ends training with the best model before it.

            --tune N first searches chunk (16 to 256), hidden (1/4, 1/2, 1 or 2 times the configured one), learning \
            rate (0.0001 to 0.01) and carry policy by successive halving: N configurations, drawn from the seed, train \
            for a few epochs, the best third goes on to three times as many, and so on up to a third of --epochs; the \
            best is then trained in full. Those of --chunk, --hidden, --learning-rate and --carry that are given stay \
            as they are. What counts is the validation loss with the state carried as 'serve' does; what diverges \
            comes last. Each trial has one thread, and as many run at a time as there are --threads: the table depends \
            on the seed, the data and N alone. Finished trials are kept in the run folder, tuning.json: --tune N \
            --resume goes on.

            --folds K trains K times more beforehand, each time measured on rows that it has not seen. With --by time \
            it is a back-test: the data is cut into K+1 parts in time, and fold i, trained on the parts before the \
            i-th, replays that with carried states as 'serve' would, without looking ahead. With --by stream each \
            fold leaves out one of K groups of streams. The model is then trained as without --folds. With --tune the \
            folds are trained as the best trial says, which has seen the validation part.

            Examples:
              sluice train --data pumps.csv --epochs 30 --hidden 32
              sluice train --data labelled.csv --head binary --scaling none --by stream
              sluice train --data pumps.csv --folds 5
              sluice train --from-topic -c pumps.yaml --output pumps.safetensors
              sluice train --from-topic --from 2026-01-01T00:00:00Z \\
                --until 2026-02-01T00:00:00Z
              sluice train --from-topic --data-of pumps.safetensors \\
                --output again.safetensors
              sluice train --data pumps.csv --carry 'per-batch x5, across-batches'
              sluice train --data pumps.ndjson --epochs 200 --run pumps.run
              sluice train --data pumps.ndjson --epochs 200 --resume pumps.run
              sluice train --data pumps.ndjson --tune 27 --run pumps.run
            """)

    @OptionGroup(title: "Data and output") var files: TrainFiles
    @OptionGroup(title: "Search") var tune: TuneFlag
    @OptionGroup(title: "Retraining") var child: TrainChild
    @OptionGroup(title: "Training") var train: TrainFlags
    @OptionGroup(title: "Model") var model: ModelFlags
    @OptionGroup(title: "Configuration") var configuration: ConfigurationOptions
    @OptionGroup var log: LogOptions

    func validate() throws {
        guard tune.trials == nil || !child.isChild else {
            throw ValidationError("--child trains with the configuration as it is: leave --tune out.")
        }
    }

    func run() async throws {
        let loaded = try load()
        try DistinctFiles.check(
            outputs: [("--output", files.output)],
            inputs: files.data.map { ("--data", $0) }
                + [("--incumbent", child.incumbent), ("--data-of", files.dataOf)]
                .compactMap { flag, path in path.map { (flag, $0) } })
        try WritableFile.check(files.output, flag: "--output")
        let span = try files.span()
        let folder = try files.folder(isChild: child.isChild)
        let fixed = try tune.trials.map { _ in
            let given = train.settings.map(\.path) + model.settings.map(\.path)
            return try tune.fixed(given + configuration.settings.flags().map(\.path), loaded.configuration)
        }
        let logger = try log.logger()
        try await Signals.onThread { interruption in
            if child.isChild { child.becomeChild(interruption) }
            let job = TrainingJob(
                loaded.configuration, isRetraining: child.isChild,
                incumbent: try child.incumbent.map { try ModelFile.read($0) },
                memory: DatasetMemory(folder: URL(filePath: files.output).deletingLastPathComponent().path))
            let tuned = try tune.trials == nil ? nil : files.resume.flatMap { try TuningFile(folder: $0).read() }
            let resuming = try files.resume.flatMap { path in
                let file = CheckpointFile(folder: path)
                // Interrupted in the search, a run has none yet.
                return tuned != nil && !file.isThere ? nil : try file.read()
            }
            let run = TrainRun(
                job, output: files.output, folder: folder, search: tune.trials.map { ($0, fixed ?? [], tuned) },
                folds: files.folds,
                json: files.json, tellsProgress: child.isChild, resuming: resuming
            ) { trial in try trial.map { try load($0.settings).yaml } ?? loaded.yaml }
            if files.fromTopic {
                let cluster = try TopicCluster(loaded.configuration, logger: logger)
                defer { cluster.close() }
                try run.run(try cluster.source(loaded.configuration, span), interruption)
            } else {
                try run.run(FileSource(files.data, fileFormat: files.format), interruption)
            }
        }
    }

    /// - Parameter tuned: settings that a search has found.
    private func load(_ tuned: [(path: String, value: String)] = []) throws -> LoadedConfiguration {
        let standard = ConfigurationOptions.defaultFile
        let hasStandard = FileManager.default.fileExists(atPath: standard)
        let file = configuration.config ?? (hasStandard || files.fromTopic ? standard : nil)
        let own = train.settings + model.settings
        let set = try configuration.settings.flags() + tuned
        var fallbacks: [String: String] = [:]
        if let first = files.data.first {
            fallbacks = .withoutCluster
            let names = try DataFeatures.names(in: first, fileFormat: files.format)
            if !names.isEmpty { fallbacks["input.features"] = FeatureList.text(names) }
        }
        guard let features = files.features else {
            return try SettingOptions.load(file, set: set, own: own, fallbacks: fallbacks)
        }
        // A feature keeps the pointer that the configuration gives it.
        let known = try? SettingOptions.load(file, set: set, fallbacks: fallbacks).configuration.input.features
        let pointers = Dictionary((known ?? []).map { ($0.name, $0.pointer) }) { first, _ in first }
        let names = features.split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces) }
        guard !names.isEmpty else { throw ValidationError("--features names no feature") }
        let list = ("input.features", FeatureList.text(names, pointers))
        return try SettingOptions.load(file, set: set, own: own + [list], fallbacks: fallbacks)
    }
}
