public import ArgumentParser
internal import SluiceCore
internal import SluiceLSTM
internal import SluiceModelFile
internal import SluiceService
internal import SluiceTraining

/// What is read and written.
struct TrainFiles: ParsableArguments {
    @Option(
        parsing: .upToNextOption, help: ArgumentHelp("Files of observations, read in this order.", valueName: "file"))
    var data: [String] = []

    @Flag(help: "Train on what the input topic holds. (by default of the last retrain.window)")
    var fromTopic = false

    @Option(
        help: ArgumentHelp(
            """
            With --from-topic: from the first record of that time on (RFC 3339), or from that offset of each partition.
            """,
            valueName: "time|offset"))
    var from: TopicSpan.Start?

    @Option(
        help: ArgumentHelp(
            "With --from-topic: up to the first record of that time. (default: to the end)", valueName: "time"))
    var until: Timestamp?

    @Option(
        help: ArgumentHelp(
            "With --from-topic: the very records that this model was trained on.", valueName: "model"))
    var dataOf: String?

    @Option(help: "ndjson or csv. (default: csv for a name that ends in .csv, else ndjson)")
    var format: RecordReader.FileFormat?

    @Option(help: "The model's inputs, such as temperature,load.")
    var features: String?

    @Option(name: .shortAndLong, help: ArgumentHelp("Where the model goes.", valueName: "file"))
    var output = "model.safetensors"

    @Option(
        help: ArgumentHelp(
            "The run folder, a new one. (default: runs/<time in UTC> beside the model; with --child none)",
            valueName: "folder"))
    var run: String?

    @Option(
        help: ArgumentHelp(
            """
            Go on with the run in that folder, after an interruption of any kind: with the same data and settings, to \
            the same bits as without. Nothing is kept of --folds: give it again, or leave it out.
            """, valueName: "folder"))
    var resume: String?

    @Option(help: "Cross-validation in so many folds beforehand, see above.")
    var folds: Int?

    @Flag(help: "One JSON object an epoch and a fold, and one at the end.")
    var json = false

    func validate() throws {
        guard run == nil || resume == nil else {
            throw ValidationError("--resume goes on in its own folder: leave --run out.")
        }
        guard data.isEmpty == fromTopic else {
            let same = resume.map { ", the same as the run in \($0) had" } ?? ""
            let remark = fromTopic ? ", and not by both" : same
            throw ValidationError("Give the data by --data FILE or by --from-topic\(remark).")
        }
        try validateSpan()
        guard !data.contains("-") else {
            throw ValidationError("--data reads its files more than once: it cannot be stdin.")
        }
        if let folds, !(2...Folds.maximum).contains(folds) {
            throw ValidationError("--folds is \(folds); 2 to \(Folds.maximum) are allowed")
        }
    }

    private func validateSpan() throws {
        guard fromTopic || from == nil && until == nil && dataOf == nil else {
            throw ValidationError("--from, --until and --data-of go with --from-topic.")
        }
        guard dataOf == nil || from == nil && until == nil else {
            throw ValidationError("--data-of says what is read: leave --from and --until out.")
        }
        if case .time(let from)? = from, let until, until.milliseconds <= from {
            throw ValidationError("--until must be later than --from.")
        }
    }

    /// What of the topic is read; nil: the last `retrain.window`.
    ///
    /// - Throws: `model-invalid` for a model that was not trained on a topic, and what is wrong with its file.
    func span() throws -> TopicSpan? {
        guard let dataOf else {
            return from == nil && until == nil ? nil : .window(from: from ?? .beginning, until: until?.milliseconds)
        }
        guard let topic = try ModelFile.read(dataOf).data?.topic else {
            throw SluiceError(
                .invalidModel, "\(dataOf) does not say that it was trained on a topic",
                remedy: "'sluice models show' tells what a model was trained on; files are given with --data")
        }
        return .records(topic)
    }

    /// The run's folder; nil for none: a child has one where it is told to.
    func folder(isChild: Bool) throws -> RunFolder? {
        if let resume { return RunFolder(resuming: resume, started: .now) }
        return isChild && run == nil ? nil : try RunFolder(run, beside: output, started: .now)
    }
}

extension TopicSpan.Start: ExpressibleByArgument {
    /// Digits are an offset.
    package init?(argument: String) {
        if let offset = Offset(argument), offset >= 0 {
            self = .offset(offset)
        } else if let time = Timestamp(argument: argument) {
            self = .time(time.milliseconds)
        } else {
            return nil
        }
    }
}

extension Timestamp: ExpressibleByArgument {
    /// RFC 3339, within the times that an observation may have.
    package init?(argument: String) {
        guard let time = Timestamp.parse(argument), Timestamp.range.contains(time) else { return nil }
        self.init(time)
    }
}
