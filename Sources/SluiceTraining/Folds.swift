package import SluiceCore
internal import SluiceLSTM

/// Cross-validation: the same training several times, each on a part of the data and measured on another.
///
/// Each fold is what a training with these settings would have come to: it holds out its own validation rows to choose
/// the epoch by, and is measured, with the state carried as in service, on rows that neither it nor that choice has
/// seen.
package enum Folds {
    package static let maximum = 100

    /// The splits of the folds, the rows each is measured on as their test. What the settings keep for the test at the
    /// end is in none.
    ///
    /// By time, forward chaining: the rows are divided by time into `count` + 1 equal parts; fold i trains on all parts
    /// before the i-th and is measured on that: the back-test that replays the log with carried states as `serve`
    /// would.
    /// By stream: as many groups of streams, alike in rows, drawn from the seed.
    ///
    /// - Throws: `SluiceError(.invalidInput)` where there are too few rows, times or streams.
    package static func splits(
        _ count: Int, of dataset: Dataset, _ configuration: TrainingConfiguration
    ) throws(SluiceError) -> [DatasetSplit] {
        precondition((2...maximum).contains(count), "checked where it is given")
        return switch configuration.by {
        case .time: try forward(count, dataset, configuration)
        case .stream: try groups(count, dataset, configuration)
        }
    }

    private static func forward(
        _ count: Int, _ dataset: Dataset, _ configuration: TrainingConfiguration
    ) throws(SluiceError) -> [DatasetSplit] {
        let ranks = TimeRanks(dataset)
        let kept = DatasetSplit.instant(configuration.test, of: ranks.count, ranks)
        let rows = ranks.count(before: kept)
        let starts = rows == 0 ? [] : (0...count).map { ranks.time(at: rows * $0 / (count + 1)) } + [kept]
        guard rows > count, zip(starts, starts.dropFirst()).allSatisfy({ $0 < $1 }) else {
            throw SluiceError(
                .invalidInput,
                "too few observations for \(count) folds by time: "
                    + "\(rows) do not make \(count + 1) parts in time",
                remedy: "use fewer --folds, or bring more observations")
        }
        var splits: [DatasetSplit] = []
        for fold in 0..<count {
            splits.append(
                try named(fold + 1) { () throws(SluiceError) in
                    try DatasetSplit(dataset, configuration, ranks, from: starts[fold + 1], to: starts[fold + 2])
                })
        }
        return splits
    }

    private static func groups(
        _ count: Int, _ dataset: Dataset, _ configuration: TrainingConfiguration
    ) throws(SluiceError) -> [DatasetSplit] {
        var streams = Array(dataset.series.indices)
        func check() throws(SluiceError) {
            guard streams.count < count else { return }
            throw SluiceError(
                .invalidInput, "\(count) folds by stream need as many streams: there are \(streams.count)",
                remedy: "use fewer --folds, or --by time")
        }
        try check()
        let kept = Set(try DatasetSplit(dataset, configuration).test.map(\.series))
        streams.removeAll { kept.contains($0) }
        try check()
        var generator = SeededGenerator(seed: configuration.seed, stream: .holdOut, index: 1)
        generator.shuffle(&streams)
        // The longest first, each into the group with the fewest rows so far: of equal ones the draw decides.
        let order = streams.enumerated().sorted {
            let (left, right) = (dataset.series[$0.element].count, dataset.series[$1.element].count)
            return (right, $0.offset) < (left, $1.offset)
        }.map(\.element)
        var groups = [(rows: Int, streams: [Int])](repeating: (0, []), count: count)
        for stream in order {
            let lightest = groups.indices.min { (groups[$0].rows, $0) < (groups[$1].rows, $1) } ?? 0
            groups[lightest].rows += dataset.series[stream].count
            groups[lightest].streams.append(stream)
        }
        var splits: [DatasetSplit] = []
        for (fold, group) in groups.enumerated() {
            let others = groups.enumerated().filter { $0.offset != fold }.flatMap(\.element.streams).sorted()
            splits.append(
                try named(fold + 1) { () throws(SluiceError) in
                    try DatasetSplit(dataset, configuration, streams: others, group: group.streams)
                })
        }
        return splits
    }

    /// Errors of a fold say which.
    private static func named<Result>(
        _ fold: Int, _ body: () throws(SluiceError) -> Result
    ) throws(SluiceError) -> Result {
        do {
            return try body()
        } catch {
            throw SluiceError(
                error.code, "fold \(fold): \(error.message)", remedy: "use fewer --folds, or a smaller --validation")
        }
    }
}
