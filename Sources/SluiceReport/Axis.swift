internal import Foundation

/// A range of values laid over a stretch of the page, with round numbers to be marked.
struct Axis: Equatable {
    let range: ClosedRange<Double>
    let ticks: [Double]
    /// Equal ratios are equally far apart.
    var isLogarithmic = false

    /// The range that holds all values and ends at round numbers: 1, 2 or 5 times a power of ten apart.
    ///
    /// - Parameter includesZero: for bars, whose length is what counts.
    init(_ values: [Double], includesZero: Bool = false, ticks wanted: Int = 5) {
        let finite = values.filter(\.isFinite) + (includesZero ? [0] : [])
        var (low, high) = (finite.min() ?? 0, finite.max() ?? 1)
        if low == high {
            let room = low == 0 ? 1 : abs(low) / 2
            low -= includesZero && low >= 0 ? 0 : room
            high += room
        }
        let rough = (high - low) / Double(wanted)
        let power = pow(10, floor(log10(rough)))
        let step = [1, 2, 5, 10].map { $0 * power }.first { $0 >= rough * 0.999 } ?? rough
        let (first, last) = ((low / step).rounded(.down), (high / step).rounded(.up))
        // A limit, lest rounding makes it endless.
        ticks = (0...min(50, max(1, Int(last - first)))).map { (first + Double($0)) * step }
        range = first * step...max(last, first + 1) * step
    }

    /// Whole numbers from 1 to `count`, for epochs.
    init(upTo count: Int, ticks wanted: Int = 10) {
        let count = max(2, count)
        let step = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000].first { count / $0 <= wanted } ?? count / wanted
        ticks = [1.0] + stride(from: step, through: count, by: step).filter { $0 > 1 }.map(Double.init)
        range = 1...Double(count)
    }

    /// From the smallest of these numbers, which are marked, to the largest.
    init(logarithmic values: [Int]) {
        ticks = Set(values.filter { $0 > 0 }).sorted().map(Double.init)
        let (low, high) = (ticks.first ?? 1, ticks.last ?? 1)
        range = low < high ? low...high : low / 2...high * 2
        isLogarithmic = true
    }

    /// Where a value lies between `start` and `end`.
    func place(_ value: Double, from start: Double, to end: Double) -> Double {
        let (low, high) = (range.lowerBound, range.upperBound)
        let share = isLogarithmic ? log(value / low) / log(high / low) : (value - low) / (high - low)
        return start + share * (end - start)
    }
}
