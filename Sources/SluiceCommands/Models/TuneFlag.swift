internal import ArgumentParser
internal import SluiceConfiguration
internal import SluiceTraining

/// `--tune`.
struct TuneFlag: ParsableArguments {
    @Option(
        name: .customLong("tune"),
        help: ArgumentHelp(
            "Search chunk, hidden, learning rate and carry, but for those given, in so many trials first, see above.",
            valueName: "trials")
    )
    var trials: Int?

    func validate() throws {
        if let trials, !TuningTrial.countRange.contains(trials) {
            let range = TuningTrial.countRange
            throw ValidationError("--tune is \(trials); \(range.lowerBound) to \(range.upperBound) are allowed")
        }
    }
}

extension TuneFlag {
    private static let paths: [String: TuningDimension] = [
        "train.chunk": .chunk, "model.hidden": .hidden, "train.learning_rate": .learningRate, "train.carry": .carry,
    ]

    /// What the command line gives beside --tune is not searched. A file says nothing about that: it may spell out the
    /// defaults.
    ///
    /// - Parameter given: the paths of all flags and of `--set`.
    /// - Throws: `ValidationError` if nothing is left.
    func fixed(_ given: [String], _ configuration: Configuration) throws -> Set<TuningDimension> {
        let fixed = Set(given.compactMap { Self.paths[$0] })
        guard fixed.count < TuningDimension.allCases.count else {
            throw ValidationError(
                "--tune has nothing to search where --chunk, --hidden, --learning-rate and --carry are given:"
                    + " leave out one of them, or --tune.")
        }
        guard !fixed.contains(.carry) || Set(configuration.train.carry.epochs).count == 1 else {
            throw ValidationError("--tune trains trials under one policy for all epochs: give --carry just one.")
        }
        return fixed
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
