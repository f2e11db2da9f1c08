internal import CoreMetrics
internal import Synchronization

/// One number: a counter's or a gauge's. Written from any thread, without a lock.
final class ScalarCell: CounterHandler, FloatingPointCounterHandler, MeterHandler, RecorderHandler {
    /// The bits of a Double: exact for counts below 2⁵³, which is all that Prometheus can read.
    private let bits = Atomic<UInt64>((0.0).bitPattern)

    var value: Double { Double(bitPattern: bits.load(ordering: .relaxed)) }

    func increment(by amount: Double) {
        guard amount.isFinite else { return }
        var current = bits.load(ordering: .relaxed)
        while true {
            let sum = (Double(bitPattern: current) + amount).bitPattern
            let (exchanged, original) = bits.weakCompareExchange(
                expected: current, desired: sum, ordering: .relaxed)
            if exchanged { return }
            current = original
        }
    }

    func set(_ value: Double) { bits.store(value.bitPattern, ordering: .relaxed) }
    func increment(by amount: Int64) { increment(by: Double(amount)) }
    func decrement(by amount: Double) { increment(by: -amount) }
    func set(_ value: Int64) { set(Double(value)) }
    func record(_ value: Int64) { set(Double(value)) }
    func record(_ value: Double) { set(value) }
    func reset() { set(0.0) }
}

/// A distribution over fixed buckets. Recorded once per batch, so a lock is cheap enough.
final class HistogramCell: RecorderHandler, TimerHandler {
    struct Counts {
        /// Per bucket, not cumulated; the last is the one up to infinity.
        var buckets: [UInt64]
        var sum = 0.0
    }

    let bounds: [Double]
    private let state: Mutex<Counts>

    init(bounds: [Double]) {
        self.bounds = bounds
        state = Mutex(Counts(buckets: Array(repeating: 0, count: bounds.count + 1)))
    }

    var counts: Counts { state.withLock { $0 } }

    func record(_ value: Double) {
        guard value.isFinite else { return }
        let bucket = bounds.firstIndex { value <= $0 } ?? bounds.count
        state.withLock {
            $0.buckets[bucket] += 1
            $0.sum += value
        }
    }

    func record(_ value: Int64) { record(Double(value)) }

    /// Timers are reported in seconds.
    func recordNanoseconds(_ duration: Int64) { record(Double(duration) / 1e9) }
}
