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
    /// One has failed, or been cancelled.
    private let isOver = Atomic<Bool>(false)
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
    func work(_ worker: Int, _ progress: (EngineBench.Progress) -> Void = { _ in }) {
        setFoldFloatEnvironment()
        let streams = part(worker, of: settings.streams)
        let partitions = part(worker, of: settings.partitions).count
        func meanwhile() throws {
            try checkCancellation()
            progress(EngineBench.Progress(share: 0))
        }
        let records = Result {
            try SyntheticRecords(
                features: settings.features, streams: streams, partitions: partitions, batch: settings.batch,
                meanwhile: meanwhile)
        }
        meeting.wait { resident.withLock { $0.before = ProcessMemory.trimmedResidentBytes } }
        let prepared = Result {
            let loop = try EngineLoop(settings, partitions: partitions, try records.get())
            // Every stream has its slot, and every buffer its size, before time is taken.
            return (loop, try loop.begin(clock, meanwhile: meanwhile).longest)
        }
        meeting.wait { resident.withLock { $0.after = ProcessMemory.residentBytes } }
        var outcome = prepared.map { Share(stateBytes: $0.0.stateBytes, longest: $0.1) }
        var done = 0
        while goesOn(outcome, after: done) {
            outcome = Result {
                var share = try outcome.get()
                do {
                    share.rates.append(try rate(prepared.get().0))
                } catch is CancellationError where done > 0 {
                    isOver.store(true, ordering: .relaxed)
                    return share
                }
                done += 1
                progress(
                    EngineBench.Progress(
                        share: Double(done) / Double(EngineBench.repetitions), recordsPerSecond: share.rates.last))
                return share
            }
        }
        outcomes.withLock { $0.append(outcome) }
        meeting.wait {}
    }

    /// Rates of all are summed by repetition, so each begins when all are ready for it, and all leave off together: at
    /// the end, when one has failed, or when it is cancelled.
    private func goesOn(_ outcome: Result<Share, any Error>, after repetitions: Int) -> Bool {
        if case .failure = outcome { isOver.store(true, ordering: .relaxed) }
        return meeting.decide {
            repetitions < EngineBench.repetitions && !isOver.load(ordering: .relaxed)
                && (repetitions == 0 || !isCancelled())
        }
    }

    private func checkCancellation() throws {
        if isCancelled() { throw CancellationError() }
    }

    private func part(_ worker: Int, of count: Int) -> Range<Int> {
        worker * count / settings.workers..<(worker + 1) * count / settings.workers
    }

    /// Records per second of one repetition.
    private func rate(_ loop: EngineLoop) throws -> Double {
        let slice = Int64(settings.seconds * 1e9) / Int64(EngineBench.repetitions)
        var (folded, elapsed): (Int, Int64) = (0, 0)
        repeat {
            let pass = try loop.pass(clock, meanwhile: checkCancellation)
            (folded, elapsed) = (folded + pass.folded, elapsed + pass.nanoseconds)
        } while elapsed < slice
        return Double(folded) * 1e9 / Double(elapsed)
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
    private var verdict = true

    init(of members: Int) { self.members = members }

    /// - Parameter last: done by the one that comes last, before any goes on.
    func wait(_ last: () -> Void) {
        _ = decide {
            last()
            return true
        }
    }

    /// Waits likewise.
    ///
    /// - Returns: what the last one found, the same to all.
    func decide(_ last: () -> Bool) -> Bool {
        condition.withLock {
            arrived += 1
            if arrived == members {
                (verdict, arrived, turn) = (last(), 0, turn + 1)
                condition.broadcast()
                return verdict
            }
            let mine = turn
            // Nobody changes the verdict before all have come once more.
            while turn == mine { condition.wait() }
            return verdict
        }
    }
}
