internal import SluiceLSTM
internal import SluiceNumerics

/// Forecasts set against what came, row by row.
struct ForecastErrors {
    /// Deviations of a normal distribution on either side of which 10 % lie.
    private static let deviations = 1.2815515655446004
    /// Rows to look back for a value: of a target missing for longer nothing is known.
    private static let lookBackMaximum = 1_024

    private let manifest: ModelManifest
    /// Observations of a season; nil: none is known.
    private let season: Int?
    /// Target-major, then horizon.
    private(set) var horizons: [HorizonError]

    init(_ manifest: ModelManifest, season: Int?) {
        self.manifest = manifest
        self.season = season
        horizons = manifest.targets.flatMap { target in
            manifest.horizons.map { HorizonError(target: target, horizon: $0) }
        }
    }

    /// The share of observations that the interval of the outermost quantiles, or of a Gaussian's middle 80 %, should
    /// hold; nil for heads without one.
    static func nominalCoverage(_ manifest: ModelManifest) -> Double? {
        switch manifest.head {
        case .quantile:
            guard let low = manifest.quantiles.first, let high = manifest.quantiles.last, low < high else { return nil }
            return high - low
        case .gaussian: return 0.8
        case .point, .binary, .categorical: return nil
        }
    }

    /// Takes in the forecasts that a row makes; one whose target lies at or behind `end` is not judged.
    ///
    /// - Parameters:
    ///   - outputs: `[O]` of the row: the linear head.
    ///   - end: the row behind the last that may be looked at.
    mutating func add(_ outputs: ReadFloats, of series: TrainingSeries, row: Int, end: Int) {
        let width = manifest.targets.count
        for target in 0..<width {
            let (center, scale) = (series.center[row * width + target], series.scale[row * width + target])
            guard let last = last(series, target, row) else { continue }
            for (index, horizon) in manifest.horizons.enumerated() where row + horizon < end {
                let observed = Double(series.targets[(row + horizon) * width + target])
                guard observed.isFinite else { continue }
                let place = target * manifest.horizons.count + index
                let scaled = interval(outputs + place * manifest.outputsPerForecast)
                horizons[place].add(
                    (
                        low: scaled.low * scale + center, middle: scaled.middle * scale + center,
                        high: scaled.high * scale + center
                    ),
                    observed: observed, last: last, season: seasonal(series, target, row: row, horizon: horizon))
            }
        }
    }

    private func last(_ series: TrainingSeries, _ target: Int, _ row: Int) -> Double? {
        let width = manifest.targets.count
        for before in stride(from: row, through: max(0, row - Self.lookBackMaximum), by: -1) {
            let value = series.targets[before * width + target]
            if value.isFinite { return Double(value) }
        }
        return nil
    }

    /// The value a whole number of days before the time that is forecast, as few as are known when it is.
    private func seasonal(_ series: TrainingSeries, _ target: Int, row: Int, horizon: Int) -> Double? {
        guard let season else { return nil }
        let days = Int64((horizon + season - 1) / season)
        let time = series.times[row + horizon] - days * Dataset.dayMilliseconds
        // Rows may be missing: it is looked for by its time, among the rows that are known by then.
        var (low, high) = (0, row + 1)
        while low < high {
            let middle = (low + high) / 2
            if series.times[middle] < time { low = middle + 1 } else { high = middle }
        }
        guard low <= row, series.times[low] == time else { return nil }
        let value = series.targets[low * manifest.targets.count + target]
        return value.isFinite ? Double(value) : nil
    }

    /// In scaled units; without an interval one that holds nothing.
    private func interval(_ output: ReadFloats) -> (low: Double, middle: Double, high: Double) {
        switch manifest.head {
        case .quantile:
            // Sorted behind the head, as in service.
            let sorted = (0..<manifest.quantiles.count).map { Double(output[$0]) }.sorted()
            let median = manifest.quantiles.firstIndex(of: 0.5) ?? sorted.count / 2
            return (sorted[0], sorted[median], sorted[sorted.count - 1])
        case .gaussian:
            let middle = Double(output[0])
            let half = Self.deviations * Double(Activation.exp(0.5 * output[1]))
            return (middle - half, middle, middle + half)
        case .point, .binary, .categorical: return (.infinity, Double(output[0]), -.infinity)
        }
    }
}

extension Dataset {
    fileprivate static let dayMilliseconds: Int64 = 86_400_000

    /// Observations of a day, where most of them come at one interval that divides it, and a stream is longer than a
    /// day; nil otherwise.
    var season: Int? {
        // What more than half of the intervals are outlasts all others (Boyer and Moore, 1981); then it is counted.
        var (interval, votes, count, total) = (Int64(0), 0, 0, 0)
        forEachInterval {
            if votes == 0 { interval = $0 }
            votes += $0 == interval ? 1 : -1
        }
        forEachInterval {
            count += $0 == interval ? 1 : 0
            total += 1
        }
        let day = Self.dayMilliseconds
        guard 2 * count > total, interval > 0, interval < day, day % interval == 0 else { return nil }
        let season = Int(day / interval)
        return series.contains { $0.count > season } ? season : nil
    }

    private func forEachInterval(_ body: (Int64) -> Void) {
        for one in series {
            one.times.withUnsafeBufferPointer { times in
                for row in times.indices.dropFirst() { body(times[row] - times[row - 1]) }
            }
        }
    }

    /// How many scored rows of some segments have each label, of those whose loss counts.
    func labels(_ segments: [Segment], _ placement: LossPlacement) -> [Int: Int] {
        var counts: [Int: Int] = [:]
        for segment in segments {
            let one = series[segment.series]
            for row in segment.scoredFrom..<segment.rows.upperBound where one.warm[row] {
                guard one.counts(row, placement) else { continue }
                let label = one.labels[row]
                if !label.isNaN, label != -1 { counts[Int(label), default: 0] += 1 }
            }
        }
        return counts
    }
}
