import Foundation
import SluiceEngine
import SluiceNumerics
import Synchronization

/// The workers of a benchmark of the engine: each on its own thread, all in the same stage at the same time.
final class EngineCrew<Clock: EngineClock & Sendable>: Sendable {
    struct Share: Sendable {
        /// Records per second of each repetition.
        var rates: [Double] = []
        var stateBytes: Int
        /// The longest processor time of one batch while all streams were new, in nanoseconds.
        var longest: Int64
    }

    private let settings: EngineBench.Settings
    private let clock: Clock
    private let isCancelled: @Sendable () -> Bool
    private let meeting: Meeting
    private let outcomes = Mutex<[Result<Share, any Error>]>([])
    /// Resident bytes of the process before there was an engine, and when each had all its streams.
    private let resident = Mutex((before: 0, after: 0))

    init(_ settings: EngineBench.Settings, clock: Clock, isCancelled: @escaping @Sendable () -> Bool) {
        (self.settings, self.clock, self.isCancelled) = (settings, clock, isCancelled)
        meeting = Meeting(of: settings.workers)
    }

    /// What came of all of them, once each has left off.
    func outcome() throws -> (shares: [Share], residentBytes: Int) {
        (try outcomes.withLock { try $0.map { try $0.get() } }, resident.withLock { max(0, $0.after - $0.before) })
    }

    /// One worker's part, which ends when all have left off.
    func work(_ worker: Int, _ progress: (Double, Double) -> Void = { _, _ in }) {
        setFoldFloatEnvironment()
        let streams = part(worker, of: settings.streams)
        let partitions = part(worker, of: settings.partitions).count
        let records = SyntheticRecords(features: settings.features, streams: streams, partitions: partitions)
        meeting.wait { resident.withLock { $0.before = ProcessMemory.trimmedResidentBytes } }
        let prepared = Result {
            let loop = try EngineLoop(settings, partitions: partitions, records)
            // Every stream has its slot, and every buffer its size, before time is taken.
            return (loop, try loop.pass().longest)
        }
        meeting.wait { resident.withLock { $0.after = ProcessMemory.residentBytes } }
        let outcome = Result {
            let (loop, longest) = try prepared.get()
            return Share(rates: try measure(loop, progress), stateBytes: loop.stateBytes, longest: longest)
        }
        outcomes.withLock { $0.append(outcome) }
        meeting.wait {}
    }

    private func part(_ worker: Int, of count: Int) -> Range<Int> {
        worker * count / settings.workers..<(worker + 1) * count / settings.workers
    }

    private func measure(_ loop: EngineLoop, _ progress: (Double, Double) -> Void) throws -> [Double] {
        let slice = Int64(settings.seconds * 1e9) / Int64(EngineBench.repetitions)
        var rates: [Double] = []
        while rates.count < EngineBench.repetitions, rates.isEmpty || !isCancelled() {
            let start = clock.monotonicNanoseconds()
            var folded = 0
            var elapsed: Int64 = 0
            repeat {
                folded += try loop.pass().folded
                elapsed = clock.monotonicNanoseconds() - start
            } while elapsed < slice
            rates.append(Double(folded) * 1e9 / Double(elapsed))
            progress(Double(rates.count) / Double(EngineBench.repetitions), rates[rates.count - 1])
        }
        return rates
    }
}

/// Where threads wait for each other.
///
/// Unchecked, because its variables are looked at under its condition's lock alone.
private final class Meeting: @unchecked Sendable {
    private let condition = NSCondition()
    private let members: Int
    private var arrived = 0
    private var turn = 0

    init(of members: Int) { self.members = members }

    /// - Parameter last: done by the one that comes last, before any goes on.
    func wait(_ last: () -> Void) {
        condition.withLock {
            arrived += 1
            if arrived == members {
                last()
                (arrived, turn) = (0, turn + 1)
                return condition.broadcast()
            }
            let mine = turn
            while turn == mine { condition.wait() }
        }
    }
}
