/// What a model's forecasts of one target at one horizon were worth on rows it was not trained on, in the target's own
/// units, with the state carried as in service; beside it, on the same rows, what costs nothing: the last value seen,
/// and the value one season before.
package struct HorizonError: Sendable, Equatable {
    package let target: String
    /// Observations ahead.
    package let horizon: Int
    /// Forecasts whose target was observed, and that had a last value to be set beside.
    package private(set) var count = 0
    /// Of them those that had a value one season before.
    package private(set) var seasonalCount = 0
    private var absolute = 0.0
    private var square = 0.0
    private var naive = 0.0
    private var seasonal = 0.0
    private var absoluteWhereSeasonal = 0.0
    private var covered = 0

    init(target: String, horizon: Int) {
        self.target = target
        self.horizon = horizon
    }

    /// Takes in a forecast: its middle and the ends of its interval, what came, and the two guesses that cost nothing.
    mutating func add(
        _ forecast: (low: Double, middle: Double, high: Double), observed: Double, last: Double, season: Double?
    ) {
        let error = abs(forecast.middle - observed)
        count += 1
        absolute += error
        square += error * error
        naive += abs(last - observed)
        if forecast.low <= observed && observed <= forecast.high { covered += 1 }
        guard let season else { return }
        seasonalCount += 1
        seasonal += abs(season - observed)
        absoluteWhereSeasonal += error
    }

    /// Mean absolute error of the model: of the median where there are quantiles. NaN without a forecast, as all below.
    package var meanAbsoluteError: Double { absolute / Double(count) }
    package var rootMeanSquareError: Double { (square / Double(count)).squareRoot() }
    /// Mean absolute error of "as it is now".
    package var naiveError: Double { naive / Double(count) }
    /// Mean absolute error of "as one season before", and the model's on the same rows; nil where there is no season.
    package var seasonalError: Double? { seasonalCount > 0 ? seasonal / Double(seasonalCount) : nil }
    package var errorWhereSeasonal: Double? {
        seasonalCount > 0 ? absoluteWhereSeasonal / Double(seasonalCount) : nil
    }
    /// The model's error over that of the last value: below 1, it is worth something. nil where that is never wrong.
    package var naiveRatio: Double? { naive > 0 ? absolute / naive : nil }
    /// Share of what came that lay within the interval.
    package var coverage: Double { Double(covered) / Double(count) }
}

/// How the best model does on rows it was not trained on, with the state carried as in service.
package struct ServedErrors: Sendable, Equatable {
    package enum Part: String, Sendable {
        case validation, test
    }

    /// Labels that were given, and how often each way of naming them was right.
    package struct Classes: Sendable, Equatable {
        package let count: Int
        package let accuracy: Double
        /// Of always saying the training part's most frequent label.
        package let majority: Double
    }

    /// Which rows: those of the test where some are held out for it.
    package let part: Part
    /// Target-major; empty for classifiers.
    package let horizons: [HorizonError]
    /// The share that the interval should hold; nil for heads without one.
    package let nominalCoverage: Double?
    /// Observations of a season; nil where none is known.
    package let season: Int?
    /// nil for forecasts.
    package let classes: Classes?

    /// The mean of the horizons' ratios to the last value; nil for classifiers, and where nothing could be compared.
    package var naiveRatio: Double? {
        let ratios = horizons.filter { $0.count > 0 }.compactMap(\.naiveRatio)
        return ratios.isEmpty ? nil : ratios.reduce(0, +) / Double(ratios.count)
    }
}
