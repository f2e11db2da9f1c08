import SluiceEngine

/// The cluster's time as an engine sees it.
///
/// `@unchecked Sendable`: a run has one thread.
package final class SimulatedClock: EngineClock, @unchecked Sendable {
    private let cluster: SimulatedCluster

    package init(_ cluster: SimulatedCluster) { self.cluster = cluster }

    package func monotonicNanoseconds() -> Int64 { cluster.now }
    package func wallMilliseconds() -> Int64 { cluster.wallMilliseconds }
    package func pause(milliseconds: Int) { cluster.advance(Int64(milliseconds) * 1_000_000) }
}
