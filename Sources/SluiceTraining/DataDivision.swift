/// How many observations were trained on and held out, and what is odd about that.
package struct DataDivision: Sendable, Equatable {
    package let trained: Int
    package let validated: Int
    package let tested: Int
    /// Observations whose time is older than that of the one before them in their stream.
    package let outOfOrder: Int
    /// That `validation` and `test` leave to be trained on.
    package let wanted: Int
    private let by: HoldOut

    /// Part of what is wanted below which the division counts as odd.
    private static let oddBelow = 0.25

    package init(_ split: DatasetSplit, of dataset: Dataset, _ configuration: TrainingConfiguration) {
        (trained, validated, tested) = (split.trainedRows, split.validatedRows, split.testedRows)
        outOfOrder = dataset.series.reduce(0) { $0 + $1.outOfOrder }
        wanted = Int(((1 - configuration.validation - configuration.test) * Double(dataset.count)).rounded())
        by = configuration.by
    }

    /// What is to be said of it to whoever may have meant something else.
    package var warnings: [String] {
        var warnings: [String] = []
        if outOfOrder > 0 {
            let count = outOfOrder == 1 ? "one observation is" : "\(outOfOrder) observations are"
            warnings.append(
                "\(count) older than the one before in the stream: are the times right? Order is the order read, the"
                    + " hold-out by time is cut as if they were sorted; input.late says what becomes of such"
                    + " observations")
        }
        if Double(trained) < Self.oddBelow * Double(wanted) {
            let remedy =
                by == .time
                ? "many observations have one time, or wrong ones; correct them, or hold out with train.by stream"
                : "a few streams have most of them; bring more streams, or hold out with train.by time"
            warnings.append(
                "only \(trained) observations are trained on, where train.validation and train.test leave \(wanted):"
                    + " \(remedy)")
        }
        return warnings
    }
}
