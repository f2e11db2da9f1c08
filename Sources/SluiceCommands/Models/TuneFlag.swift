internal import ArgumentParser
internal import SluiceCore
internal import SluiceTraining

/// `--tune`, and where the search is kept.
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

    /// - Parameters:
    ///   - run: the folder of a run that begins.
    ///   - resume: that of one to go on with.
    /// - Returns: nil without `--tune`.
    func request(run: String?, resume: String?) throws -> Tuner.Request? {
        guard let trials else { return nil }
        guard let folder = run ?? resume else { return Tuner.Request(trials: trials) }
        let file = TuningFile(folder: folder)
        if run != nil { try file.checkNew() }
        return Tuner.Request(trials: trials, finished: try file.read()) { record in
            do {
                try file.write(record)
            } catch let error as SluiceError {
                throw SluiceError(
                    error.code, error.message, remedy: "make room, then go on with --tune \(trials) --resume \(folder)",
                    retry: error.retry, cause: error.cause)
            }
        }
    }
}
