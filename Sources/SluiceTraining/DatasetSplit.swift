internal import SluiceCore

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
struct DatasetSplit: Sendable {
    var train: [Segment] = []
    var validation: [Segment] = []
    var test: [Segment] = []

    /// - Throws: `SluiceError(.invalidInput)` if nothing is left to train on, or to validate with.
    init(_ dataset: Dataset, _ configuration: TrainingConfiguration) throws(SluiceError) {
        switch configuration.by {
        case .time: splitByTime(dataset, configuration)
        case .stream: splitByStream(dataset, configuration)
        }
        let remedy = "bring more observations, or set train.validation and train.test to smaller parts"
        if train.isEmpty {
            throw SluiceError(
                .invalidInput, "no observation is left to train on: \(dataset.count) in all", remedy: remedy)
        }
        if configuration.validation > 0, validation.isEmpty {
            throw SluiceError(.invalidInput, "no observation is left to validate with", remedy: remedy)
        }
    }

    /// Two instants divide all rows by their parts; a segment that spans one belongs to both sides. A forecast whose
    /// target lies beyond the instant is masked, because a segment ends there.
    private mutating func splitByTime(_ dataset: Dataset, _ configuration: TrainingConfiguration) {
        let times = dataset.series.flatMap(\.times).sorted()
        func instant(_ part: Double) -> Int64 {
            let held = Int((part * Double(times.count)).rounded())
            return held == 0 ? .max : times[times.count - min(held, times.count)]
        }
        let validationStart = instant(configuration.validation + configuration.test)
        let testStart = instant(configuration.test)
        // Enough for the state to forget where it began, little enough not to run through the training part each epoch.
        let leadIn = Self.leadInChunks * configuration.chunk
        for (index, series) in dataset.series.enumerated() {
            for rows in series.segments {
                let first = rows.first { series.times[$0] >= validationStart } ?? rows.upperBound
                let second = max(first, rows.first { series.times[$0] >= testStart } ?? rows.upperBound)
                if first > rows.lowerBound { train.append(Segment(series: index, rows: rows.lowerBound..<first)) }
                if second > first {
                    let start = max(rows.lowerBound, first - leadIn)
                    validation.append(Segment(series: index, rows: start..<second, scoredFrom: first))
                }
                if rows.upperBound > second {
                    let start = max(rows.lowerBound, second - leadIn)
                    test.append(Segment(series: index, rows: start..<rows.upperBound, scoredFrom: second))
                }
            }
        }
    }

    static let leadInChunks = 4

    /// Streams in an order drawn from the seed are held out until their rows make up the part.
    private mutating func splitByStream(_ dataset: Dataset, _ configuration: TrainingConfiguration) {
        var order = Array(dataset.series.indices)
        var generator = SeededGenerator(seed: configuration.seed, stream: .holdOut)
        generator.shuffle(&order)
        let total = Double(dataset.count)
        var (validated, tested) = (0.0, 0.0)
        for index in order {
            let series = dataset.series[index]
            let segments = series.segments.map { Segment(series: index, rows: $0) }
            if validated < configuration.validation * total {
                validation += segments
                validated += Double(series.count)
            } else if tested < configuration.test * total {
                test += segments
                tested += Double(series.count)
            } else {
                train += segments
            }
        }
        train.sort { ($0.series, $0.rows.lowerBound) < ($1.series, $1.rows.lowerBound) }
    }
}
