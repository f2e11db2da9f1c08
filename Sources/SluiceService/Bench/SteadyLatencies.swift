/// Latencies by parts of a second, and those of the parts in which the processors kept their pace. A clock that drops
/// leaves a backlog, which is worked off in the parts behind.
package struct SteadyLatencies: Sendable {
    /// Seconds of a part.
    package static let part = 0.1
    /// Parts that a slow one spoils behind it.
    package static let spoilt = 3
    /// Looks at a slow processor that make a part one of them; single ones are interrupts.
    static let looks = 3

    package private(set) var all = LatencyHistogram()
    package private(set) var steady = LatencyHistogram()
    private var slow = 0
    private var left = 0

    package init() {}

    /// A part is over.
    ///
    /// - Parameters:
    ///   - all: of all parts.
    ///   - slow: looks that found a processor slow, in all parts.
    package mutating func end(_ all: LatencyHistogram, slow: Int) {
        left = slow - self.slow >= Self.looks ? Self.spoilt + 1 : max(0, left - 1)
        if left == 0 { steady.add(all, since: self.all) }
        (self.all, self.slow) = (all, slow)
    }
}
