/// Time as the worker needs it: intervals and latencies only. Nothing the fold computes depends on it.
package protocol EngineClock: AnyObject, Sendable {
    /// Nanoseconds of a clock that never goes back.
    func monotonicNanoseconds() -> Int64
    /// Milliseconds since 1970, for the audit.
    func wallMilliseconds() -> Int64
    /// Waits, where a rebalance leaves nothing else to do.
    func pause(milliseconds: Int)
}
