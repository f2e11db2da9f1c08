internal import ArgumentParser
internal import Foundation
internal import SluiceConfiguration
internal import SluiceCore
internal import SluiceLSTM
internal import SluiceModelFile
internal import SluiceSchema
internal import SluiceService
internal import SluiceState

/// `sluice score`.
struct Score: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Replay a file through the engine of 'serve': one prediction a line, in the order of the input.",
        discussion: """
            The same observations give the same bytes as 'serve' does, whatever --batch says. Predictions are JSON \
            lines. Without -c an observation is read from /stream, /time, /values/<input>, /sequence, /boundary and \
            /label (in CSV from the columns of those names), and only marks in the data are boundaries; with -c by the \
            input and boundaries of that configuration.

            Rows that cannot be used are told on stderr and, all of them, in --rejects as JSON lines with the keys row \
            (from 0), error, message, source and value; the exit code stays 0. A row may be of any size: of one above \
            \(Limits.observationBytes) bytes the value is its beginning, and truncated and sha256 are length and hash \
            of all of it. Blank lines are no rows. In CSV a quoted field may run over line ends if its quote is closed \
            within \(Limits.quotedRecordBytes) bytes; else that line is a reject, and reading goes on behind it.

            --commands applies the resets, swaps and imports of a service's events topic (JSON lines) before the \
            rows at their offsets; rows then say in source where they come from. A partition begins with the model \
            that its first swap took over from, or with --model where none is recorded; the models that swaps name \
            lie beside it as VERSION.safetensors, as in state/models.

            Examples:
              sluice score --model m.safetensors --input pumps.csv --output out.ndjson
              sluice score --model m.safetensors --input - --output - < in.ndjson
              sluice score --model m.safetensors -c sluice.yaml --batch 64 \\
                --input in.ndjson --output out.ndjson --rejects bad.ndjson
            """)

    @Option(help: ArgumentHelp("The model.", valueName: "file"))
    var model: String

    @Option(help: ArgumentHelp("Observations; - is stdin.", valueName: "file"))
    var input: String

    @Option(help: ArgumentHelp("Predictions; - is stdout.", valueName: "file"))
    var output: String

    @Option(
        name: .shortAndLong, help: ArgumentHelp("Read input and boundaries of this configuration.", valueName: "file"))
    var config: String?

    @Option(help: "ndjson or csv. (default: csv for a name that ends in .csv, else ndjson)")
    var format: RecordReader.FileFormat?

    @Option(help: "Rows folded at once, at most \(Limits.batchRecords); changes no bit.")
    var batch = Limits.batchRecords

    @Option(help: ArgumentHelp("Where rejects go.", valueName: "file"))
    var rejects: String?

    @Option(help: ArgumentHelp("Recorded commands, as JSON lines of the events topic.", valueName: "file"))
    var commands: String?

    @Flag(help: "The summary on stderr as one JSON object.")
    var json = false

    func validate() throws {
        guard (1...Limits.batchRecords).contains(batch) else {
            throw ValidationError("--batch must be from 1 to \(Limits.batchRecords).")
        }
        let outputs = [output, rejects].compactMap { $0 }
        guard Set(outputs).count == outputs.count else {
            throw ValidationError("--output and --rejects must differ.")
        }
        let read =
            [("--input", input), ("--model", model)]
            + [("--commands", commands), ("-c", config)]
            .compactMap { flag, path in path.map { (flag, $0) } }
        let written = [("--output", output)] + (rejects.map { [("--rejects", $0)] } ?? [])
        try DistinctFiles.check(outputs: written, inputs: read)
    }

    func run() async throws {
        try await Signals.onThread { interruption in try scoring().run(interruption) }
    }

    /// On the thread that will run it.
    private func scoring() throws -> ScoreRun {
        let first = try ModelFile.read(model)
        let reader = try RecordReader(input, fileFormat: format)
        let configuration = try config.map {
            try SettingOptions.load($0, fallbacks: .withoutCluster).configuration
        }
        let events = try commands.map { try RecordedCommands.read($0) } ?? []
        var models: [String: (FoldSpecification, InputSpecification)] = [:]
        for version in Scorer.models(of: events) {
            let model = version == first.manifest.version ? first : try recordedModel(version)
            models[version] = (try specification(model, configuration), try inputs(of: model, configuration, reader))
        }
        let scorer = try Scorer(
            try specification(first, configuration), input: try inputs(of: first, configuration, reader),
            topic: reader.name, batch: batch, events: events, models: models)
        return ScoreRun(scorer: scorer, reader: reader, batch: batch, output: output, rejects: rejects, json: json)
    }
}

extension Score {
    private func inputs(
        of model: Model, _ configuration: Configuration?, _ reader: RecordReader
    ) throws -> InputSpecification {
        let names = model.manifest.inputs
        return try configuration?.inputSpecification(.field, for: names, fileFormat: reader.format)
            ?? InputSpecification(
                source: .field, format: reader.format, features: names.map { InputSpecification.Feature($0) })
    }

    private func specification(_ model: Model, _ configuration: Configuration?) throws -> FoldSpecification {
        try configuration?.foldSpecification(model) ?? FoldSpecification(model: model)
    }

    /// A model that a recorded swap goes to or takes over from: beside the one given, as in a service's registry.
    private func recordedModel(_ version: String) throws -> Model {
        let path = URL(filePath: model).deletingLastPathComponent().appending(path: "\(version).safetensors").path
        guard FileManager.default.fileExists(atPath: path) else {
            throw SluiceError(
                .file, "the commands swap to or from the model \(version), and there is no \(path)",
                remedy: "put the models that a service ran beside --model, as they lie in its state/models")
        }
        let model = try ModelFile.read(path)
        guard model.manifest.version == version else {
            throw SluiceError(.invalidModel, "\(path) is the model \(model.manifest.version), not \(version)")
        }
        return model
    }
}

extension RecordReader.FileFormat: ExpressibleByArgument {}

extension [String: String] {
    /// What a configuration need not say for a command that meets no cluster.
    static let withoutCluster = [
        "application": "model", "kafka.bootstrap.servers": "none", "input.topic": "input", "output.topic": "output",
    ]
}
