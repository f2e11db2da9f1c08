/// Latencies by parts of a second, and those of the parts in which the processors kept their pace. A clock that drops
/// leaves a backlog, which is worked off in the parts behind; a backlog that no such clock left counts for the service.
package struct SteadyLatencies: Sendable {
    /// Seconds of a part.
    package static let part = 0.1
    /// Parts that a slow one spoils behind it, and what it takes to work off the backlog.
    package static let spoilt = 1
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
    ///   - isBehind: records wait that would not wait at another time.
    package mutating func end(_ all: LatencyHistogram, slow: Int, isBehind: Bool) {
        if slow - self.slow >= Self.looks {
            left = Self.spoilt + 1
        } else if !isBehind {
            left = max(0, left - 1)
        }
        if left == 0 { steady.add(all, since: self.all) }
        (self.all, self.slow) = (all, slow)
    }
}
