import Glibc
import SluiceEngine

/// The machine's clocks.
package final class SystemClock: EngineClock {
    package init() {}

    package func monotonicNanoseconds() -> Int64 { Self.read(CLOCK_MONOTONIC) }
    package func wallMilliseconds() -> Int64 { Self.read(CLOCK_REALTIME) / 1_000_000 }

    package func pause(milliseconds: Int) { usleep(UInt32(clamping: milliseconds * 1_000)) }

    private static func read(_ clock: clockid_t) -> Int64 {
        var now = timespec()
        clock_gettime(clock, &now)
        return Int64(now.tv_sec) * 1_000_000_000 + Int64(now.tv_nsec)
    }
}
