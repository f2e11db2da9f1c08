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
            From files (--data, CSV or JSON lines) or from the input topic (--from-topic, its last retrain.window). \
            Files need no configuration: without one the features are the columns of the CSV header besides stream, \
            time, sequence, boundary and label, or the values of the first JSON record. Every setting of train: is a \
            flag below; --set takes all others.

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

            --tune N first searches chunk (16 to 256), hidden (1/4, 1/2, 1 or 2 times the configured one), learning \
            rate (0.0001 to 0.01) and carry policy by successive halving: N configurations, drawn from the seed, train \
            for a few epochs, the best third goes on to three times as many, and so on up to a third of --epochs; the \
            best is then trained in full. What counts is the validation loss with the state carried as 'serve' does; \
            what diverges comes last. Each trial has one thread, and as many run at a time as there are --threads: the \
            table depends on the seed, the data and N alone. With --run the finished trials are kept, and --tune N \
            --resume goes on.

            After training the carry gap says whether the policy suits how the model is served. Ctrl-C ends training \
            and writes the best model so far; with --run it can be resumed.

            Examples:
              sluice train --data pumps.csv --epochs 30 --hidden 32
              sluice train --data labelled.csv --head binary --scaling none --by stream
              sluice train --from-topic -c pumps.yaml --output pumps.safetensors
              sluice train --data pumps.ndjson --carry 'per-batch x5, across-batches' --json
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
        if files.folds != nil {
            throw SluiceError(
                .unsupported, "--folds is not available yet", remedy: "hold out a part with --validation and --test")
        }
        let loaded = try load()
        try DistinctFiles.check(
            outputs: [("--output", files.output)],
            inputs: files.data.map { ("--data", $0) } + (child.incumbent.map { [("--incumbent", $0)] } ?? []))
        try Self.checkWritable(files.output)
        let logger = try log.logger()
        try await Signals.onThread { interruption in
            if child.isChild { child.becomeChild(interruption) }
            let job = TrainingJob(
                loaded.configuration, isRetraining: child.isChild,
                incumbent: try child.incumbent.map { try ModelFile.read($0) })
            let tuning = try tune.request(run: files.run, resume: files.resume)
            let resuming = try files.resume.flatMap { folder in
                let file = CheckpointFile(folder: folder)
                // Interrupted in the search, a run has none yet.
                return tuning?.finished != nil && !file.isThere ? nil : try file.read()
            }
            let run = TrainRun(
                job, output: files.output, json: files.json, tellsProgress: child.isChild,
                checkpoints: try files.resume.map { CheckpointFile(folder: $0) }
                    ?? files.run.map { try CheckpointFile.begin(folder: $0) },
                resuming: resuming, tuning: tuning)
            if files.fromTopic {
                let cluster = try TopicCluster(loaded.configuration, logger: logger)
                defer { cluster.close() }
                try run.run(try cluster.source(loaded.configuration), interruption)
            } else {
                try run.run(FileSource(files.data, fileFormat: files.format), interruption)
            }
        }
    }

    private func load() throws -> LoadedConfiguration {
        let standard = ConfigurationOptions.defaultFile
        let hasStandard = FileManager.default.fileExists(atPath: standard)
        let file = configuration.config ?? (hasStandard || files.fromTopic ? standard : nil)
        let own = train.settings + model.settings
        let set = try configuration.settings.flags()
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

    /// A model that cannot be written is told before it is trained.
    private static func checkWritable(_ path: String) throws {
        var isDirectory: ObjCBool = false
        let files = FileManager.default
        let parent = URL(filePath: path).deletingLastPathComponent().path
        if files.fileExists(atPath: path, isDirectory: &isDirectory), isDirectory.boolValue {
            throw SluiceError(.file, "\(path) is a folder", remedy: "name a file with --output")
        }
        guard files.fileExists(atPath: parent, isDirectory: &isDirectory), isDirectory.boolValue,
            files.isWritableFile(atPath: parent)
        else {
            throw SluiceError(
                .file, "\(path) cannot be written", remedy: "does the folder exist, and may it be written to?")
        }
    }
}

/// What is read and written.
struct TrainFiles: ParsableArguments {
    @Option(
        parsing: .upToNextOption, help: ArgumentHelp("Files of observations, read in this order.", valueName: "file"))
    var data: [String] = []

    @Flag(help: "Train on what the input topic holds.")
    var fromTopic = false

    @Option(help: "ndjson or csv. (default: csv for a name that ends in .csv, else ndjson)")
    var format: RecordReader.FileFormat?

    @Option(help: "The model's inputs, such as temperature,load.")
    var features: String?

    @Option(name: .shortAndLong, help: ArgumentHelp("Where the model goes.", valueName: "file"))
    var output = "model.safetensors"

    @Option(
        help: ArgumentHelp(
            "Where training is kept at the end of each epoch, to be resumed: a new folder.", valueName: "folder"))
    var run: String?

    @Option(
        help: ArgumentHelp(
            """
            Go on with the run that is kept there, after an interruption of any kind: with the same data and settings, \
            to the same bits as without.
            """, valueName: "folder"))
    var resume: String?

    @Option(help: "Cross-validation; not available yet.")
    var folds: Int?

    @Flag(help: "One JSON object an epoch, and one at the end.")
    var json = false

    func validate() throws {
        guard run == nil || resume == nil else {
            throw ValidationError("--resume goes on in its own folder: leave --run out.")
        }
        guard data.isEmpty == fromTopic else {
            throw ValidationError("Give the data by --data FILE or by --from-topic, and not by both.")
        }
        guard !data.contains("-") else {
            throw ValidationError("--data reads its files more than once: it cannot be stdin.")
        }
    }
}
