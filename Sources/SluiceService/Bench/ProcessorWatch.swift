import Foundation
import Synchronization

/// Looks whether the processors keep their pace: a short chain of multiplications, timed by the thread's own processor
/// time every two milliseconds. Waiting for a turn does not count; a clock that drops, as those of shared and hot
/// machines do, does.
package final class ProcessorWatch: Sendable {
    private static let multiplications = 15_000
    /// Of the best; a neighbour on the same core takes half of the pace at most.
    private static let slow = 2.5
    private static let pause = 0.002

    private let isStopping = Atomic<Bool>(false)
    private let probes = Atomic<Int>(0)
    private let slowProbes = Atomic<Int>(0)

    package init() {
        Thread { [self] in watch() }.start()
    }

    package func stop() { isStopping.store(true, ordering: .relaxed) }

    /// How many looks were taken so far, and how many of them found less than two fifths of the best pace.
    package var counts: (all: Int, slow: Int) {
        (probes.load(ordering: .relaxed), slowProbes.load(ordering: .relaxed))
    }

    private func watch() {
        var (best, value) = (Int64.max, UInt64(1))
        while !isStopping.load(ordering: .relaxed) {
            let began = threadNanoseconds()
            for _ in 0..<Self.multiplications { value = value &* 6_364_136_223_846_793_005 &+ 1 }
            let elapsed = threadNanoseconds() - began
            best = min(best, max(1, elapsed))
            if Double(elapsed) > Self.slow * Double(best) { slowProbes.add(1, ordering: .relaxed) }
            // The value is looked at, so that it is computed.
            probes.add(value == 0 ? 2 : 1, ordering: .relaxed)
            Thread.sleep(forTimeInterval: Self.pause)
        }
    }
}
