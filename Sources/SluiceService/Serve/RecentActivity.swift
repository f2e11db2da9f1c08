/// How busy the service was lately, for people: counts of the last minute, one slot a second, in fixed memory.
package struct RecentActivity: Sendable {
    /// Seconds that the latency looks back.
    package static let seconds = 60
    /// Whole seconds that the rate is the mean of.
    package static let rateSeconds = 5
    /// Latency counts lie in bins an eighth of an octave's length wide, from 1 µs to more than an hour: what is read
    /// from them is wrong by a sixteenth at most.
    private static let binsPerOctave = 8
    private static let bins = 32 * binsPerOctave

    private struct Second: Sendable {
        var number: Int64 = -1
        var observations = 0
        var latencies = [UInt32](repeating: 0, count: RecentActivity.bins)
    }

    private var ring = [Second](repeating: Second(), count: seconds)
    private var beganAt: Int64?

    package init() {}

    /// Observations were folded.
    ///
    /// - Parameter nanoseconds: monotonic.
    package mutating func add(_ observations: Int, at nanoseconds: Int64) {
        guard observations > 0 else { return }
        ring[second(nanoseconds)].observations += observations
    }

    /// Observations were answered, so long after they arrived.
    package mutating func add(_ observations: Int, latency: Int64, at nanoseconds: Int64) {
        ring[second(nanoseconds)].latencies[Self.bin(latency)] &+= UInt32(clamping: observations)
    }

    /// The slot of a time.
    private mutating func second(_ nanoseconds: Int64) -> Int {
        let number = nanoseconds / 1_000_000_000
        beganAt = beganAt ?? number
        let index = Int(number % Int64(Self.seconds))
        if ring[index].number != number { ring[index] = Second(number: number) }
        return index
    }

    /// Observations a second over the last whole seconds; while it has not run for so long, over those that it has.
    package func rate(at nanoseconds: Int64) -> Double {
        let now = nanoseconds / 1_000_000_000
        guard let beganAt, now > beganAt else { return 0 }
        let first = max(beganAt, now - Int64(Self.rateSeconds))
        let count = ring.filter { (first..<now).contains($0.number) }.reduce(0) { $0 + $1.observations }
        return Double(count) / Double(now - first)
    }

    /// Milliseconds below which the given shares of the last minute's observations were answered; nil without any.
    package func latency(_ shares: [Double], at nanoseconds: Int64) -> [Double]? {
        let now = nanoseconds / 1_000_000_000
        var counts = [UInt64](repeating: 0, count: Self.bins)
        for second in ring where second.number > now - Int64(Self.seconds) && second.number >= 0 {
            for bin in 0..<Self.bins { counts[bin] += UInt64(second.latencies[bin]) }
        }
        let total = counts.reduce(0, +)
        guard total > 0 else { return nil }
        return shares.map { share in
            let rank = UInt64(max(1, (share * Double(total)).rounded(.up)))
            var sum: UInt64 = 0
            let bin = counts.firstIndex { count in
                sum += count
                return sum >= rank
            }
            return Self.middle(bin ?? Self.bins - 1)
        }
    }

    private static func bin(_ nanoseconds: Int64) -> Int {
        guard nanoseconds > 1_024 else { return 0 }
        let octave = 63 - nanoseconds.leadingZeroBitCount
        let part = Int(nanoseconds >> Int64(octave - 3)) & (binsPerOctave - 1)
        return min((octave - 10) * binsPerOctave + part, bins - 1)
    }

    /// Milliseconds.
    private static func middle(_ bin: Int) -> Double {
        let octave = Double(1 << (10 + bin / binsPerOctave))
        return octave * (1 + (Double(bin % binsPerOctave) + 0.5) / Double(binsPerOctave)) / 1_000_000
    }
}
