internal import ArgumentParser
internal import SluiceService
internal import SluiceTraining

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
            throw ValidationError("Give the data by --data FILE or by --from-topic, and not by both.")
        }
        guard !data.contains("-") else {
            throw ValidationError("--data reads its files more than once: it cannot be stdin.")
        }
        if let folds, !(2...Folds.maximum).contains(folds) {
            throw ValidationError("--folds is \(folds); 2 to \(Folds.maximum) are allowed")
        }
    }

    /// The run's folder; nil for none: a child has one where it is told to.
    func folder(isChild: Bool) throws -> RunFolder? {
        if let resume { return RunFolder(resuming: resume, started: .now) }
        return isChild && run == nil ? nil : try RunFolder(run, beside: output, started: .now)
    }
}
