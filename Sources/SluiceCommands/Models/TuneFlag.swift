internal import ArgumentParser
internal import SluiceTraining

/// `--tune`.
struct TuneFlag: ParsableArguments {
    @Option(
        name: .customLong("tune"),
        help: ArgumentHelp(
            "Search chunk, hidden, learning rate and carry among so many trials first, see above.", valueName: "trials")
    )
    var trials: Int?

    func validate() throws {
        if let trials, !TuningTrial.countRange.contains(trials) {
            let range = TuningTrial.countRange
            throw ValidationError("--tune is \(trials); \(range.lowerBound) to \(range.upperBound) are allowed")
        }
    }
}

extension TuningTrial {
    /// As flags and `--set` say them.
    var settings: [(path: String, value: String)] {
        [
            ("train.carry", carry.rawValue), ("train.chunk", "\(chunk)"), ("train.learning_rate", "\(learningRate)"),
            ("model.hidden", "\(hidden)"),
        ]
    }
}
