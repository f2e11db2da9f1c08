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

    @Option(help: "Cross-validation in so many folds beforehand, see above.")
    var folds: Int?

    @Flag(help: "One JSON object an epoch and a fold, and one at the end.")
    var json = false

    func validate() throws {
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
}
