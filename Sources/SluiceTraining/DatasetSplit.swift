package import SluiceCore
internal import SluiceLSTM

/// Rows of one stream over which state is carried without a boundary, and which of them count.
struct Segment: Sendable, Equatable {
    let series: Int
    let rows: Range<Int>
    /// Losses of the rows before this one are masked: they only bring the state to where it would be in service.
    let scoredFrom: Int

    init(series: Int, rows: Range<Int>, scoredFrom: Int? = nil) {
        self.series = series
        self.rows = rows
        self.scoredFrom = scoredFrom ?? rows.lowerBound
    }
}

/// What is trained on, what is watched, what is kept for the end.
package struct DatasetSplit: Sendable {
    var train: [Segment] = []
    var validation: [Segment] = []
    var test: [Segment] = []
    /// `by: time`: when validation and test begin, in milliseconds since 1970; nil without.
    package private(set) var validationFrom: Int64?
    package private(set) var testFrom: Int64?

    /// - Throws: `SluiceError(.invalidInput)` if nothing is left to train on, or to validate with.
    package init(_ dataset: Dataset, _ configuration: TrainingConfiguration) throws(SluiceError) {
        switch configuration.by {
        case .time: splitByTime(dataset, configuration)
        case .stream: splitByStream(dataset, configuration)
        }
        try check(dataset.count, configuration)
    }

    /// Rows of a part that count.
    package var trainedRows: Int { Self.rows(train) }
    package var validatedRows: Int { Self.rows(validation) }
    package var testedRows: Int { Self.rows(test) }
    /// Streams of a part.
    package var validationStreams: Int { Set(validation.map(\.series)).count }
    package var testStreams: Int { Set(test.map(\.series)).count }

    private static func rows(_ segments: [Segment]) -> Int {
        segments.reduce(0) { $0 + $1.rows.upperBound - $1.scoredFrom }
    }

    private func check(_ count: Int, _ configuration: TrainingConfiguration) throws(SluiceError) {
        let remedy = "bring more observations, or set train.validation and train.test to smaller parts"
        if train.isEmpty {
            // Rows of one time stay together: times that are all the same leave nothing before any instant.
            throw SluiceError(
                .invalidInput, "no observation is left to train on: \(count) in all",
                remedy: configuration.by == .time ? remedy + "; are the times right?" : remedy)
        }
        if configuration.validation > 0, validation.isEmpty {
            throw SluiceError(.invalidInput, "no observation is left to validate with", remedy: remedy)
        }
    }
}

extension DatasetSplit {
    /// At most the rows and steps of any batch of any policy: each row and step of a batch is another of the data.
    func largestBatch(_ configuration: TrainingConfiguration) -> (rows: Int, steps: Int) {
        let parts = [train, validation]
        let chunks = parts.map { $0.reduce(0) { $0 + ($1.rows.count + configuration.chunk - 1) / configuration.chunk } }
        let steps = parts.map { $0.reduce(0) { $0 + $1.rows.count } }
        let longest = parts.joined().map(\.rows.count).max() ?? 0
        let rows = min(configuration.rows, chunks.max() ?? 0)
        return (max(1, rows), max(1, min(steps.max() ?? 0, configuration.rows * min(configuration.chunk, longest))))
    }
}

// MARK: - By time

extension DatasetSplit {
    static let leadInChunks = 4

    /// Two instants divide all rows by their parts.
    private mutating func splitByTime(_ dataset: Dataset, _ configuration: TrainingConfiguration) {
        let ranks = TimeRanks(dataset)
        divide(
            dataset, configuration,
            validation: Self.instant(configuration.validation + configuration.test, of: ranks.count, ranks),
            test: Self.instant(configuration.test, of: ranks.count, ranks), end: .max)
    }

    /// When the last part of the first `count` times begins.
    static func instant(_ part: Double, of count: Int, _ ranks: TimeRanks) -> Int64 {
        let held = Int((part * Double(count)).rounded())
        return held == 0 ? .max : ranks.time(at: count - min(held, count))
    }

    /// A stream is cut behind as many of its rows as are older than the instant, wherever they are: in a stream in
    /// order of time that is at the instant, and where some times are wrong, or late, each of them moves the cut by
    /// one row at most. Its parts follow one another in the order of the log, as states are carried: nothing is
    /// validated that lies before a row that is trained on.
    ///
    /// A segment that spans a cut belongs to both sides. A forecast whose target lies beyond the cut is masked, because
    /// a segment ends there. Nothing from `end` on belongs to any side.
    private mutating func divide(
        _ dataset: Dataset, _ configuration: TrainingConfiguration, validation: Int64, test: Int64, end: Int64
    ) {
        validationFrom = validation < test ? validation : nil
        testFrom = test < .max ? test : nil
        // Enough for the state to forget where it began, little enough not to run through the training part each epoch.
        let leadIn = Self.leadInChunks * configuration.chunk
        for (index, series) in dataset.series.enumerated() {
            let cuts = [min(validation, test), test, end].map { series.count(before: $0) }
            for rows in series.segments {
                let places = cuts.map { min(max($0, rows.lowerBound), rows.upperBound) }
                let (first, second, last) = (places[0], places[1], places[2])
                func held(_ part: Range<Int>) -> Segment {
                    let start = max(rows.lowerBound, part.lowerBound - leadIn)
                    return Segment(series: index, rows: start..<part.upperBound, scoredFrom: part.lowerBound)
                }
                if first > rows.lowerBound { train.append(Segment(series: index, rows: rows.lowerBound..<first)) }
                if second > first { self.validation.append(held(first..<second)) }
                if last > second { self.test.append(held(second..<last)) }
            }
        }
    }

    /// The split of a fold of a forward chain: what the settings make of all rows before `start`, tested on those from
    /// there to `end`.
    init(
        _ dataset: Dataset, _ configuration: TrainingConfiguration, _ ranks: TimeRanks, from start: Int64,
        to end: Int64
    ) throws(SluiceError) {
        let before = ranks.count(before: start)
        divide(
            dataset, configuration, validation: min(start, Self.instant(configuration.validation, of: before, ranks)),
            test: start, end: end)
        try check(before, configuration)
    }
}

// MARK: - By stream

extension DatasetSplit {
    /// Streams in an order drawn from the seed are held out until their rows make up the part.
    private mutating func splitByStream(_ dataset: Dataset, _ configuration: TrainingConfiguration) {
        hold(Array(dataset.series.indices), of: dataset, configuration, test: configuration.test)
    }

    private mutating func hold(
        _ streams: [Int], of dataset: Dataset, _ configuration: TrainingConfiguration, test: Double
    ) {
        var order = streams
        var generator = SeededGenerator(seed: configuration.seed, stream: .holdOut)
        generator.shuffle(&order)
        let total = Double(streams.reduce(0) { $0 + dataset.series[$1].count })
        var (validated, tested) = (0.0, 0.0)
        for index in order {
            let series = dataset.series[index]
            if validated < configuration.validation * total {
                validation += series.whole(index)
                validated += Double(series.count)
            } else if tested < test * total {
                self.test += series.whole(index)
                tested += Double(series.count)
            } else {
                train += series.whole(index)
            }
        }
        train.sort { ($0.series, $0.rows.lowerBound) < ($1.series, $1.rows.lowerBound) }
    }

    /// The split of a fold by stream: what the settings make of `streams`, tested on `group`.
    init(
        _ dataset: Dataset, _ configuration: TrainingConfiguration, streams: [Int], group: [Int]
    ) throws(SluiceError) {
        hold(streams, of: dataset, configuration, test: 0)
        test = group.sorted().flatMap { dataset.series[$0].whole($0) }
        try check(streams.reduce(0) { $0 + dataset.series[$1].count }, configuration)
    }
}

extension TrainingSeries {
    fileprivate func whole(_ index: Int) -> [Segment] { segments.map { Segment(series: index, rows: $0) } }
}
