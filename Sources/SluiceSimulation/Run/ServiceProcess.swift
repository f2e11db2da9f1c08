import SluiceCore
import SluiceEngine
import SluiceLog

/// The service on one machine: workers on a process that may die, and come back on the same disk.
final class ServiceProcess {
    /// One worker with its clients.
    final class Seat {
        let index: Int
        var worker: Worker?
        var consumer: SimulatedConsumer?
        /// Not begun anew before this time.
        var againAt: Int64 = 0
        /// Takes no turn before this time.
        var stalledUntil: Int64 = 0

        /// Partitions as they were restored last.
        var seen: [Int32: PartitionState] = [:]

        init(index: Int) { self.index = index }
    }

    let index: Int
    let disk = SimulatedDisk()
    private(set) var life: SimulatedProcess
    private(set) var seats: [Seat] = []
    /// When it starts (again).
    private(set) var startsAt: Int64
    private(set) var isUp = false
    private var limits = OutputLimits()
    /// Errors that ended workers, newest last.
    private(set) var errors: [String] = []
    private unowned let run: Simulation

    init(_ index: Int, _ run: Simulation, startsAt: Int64) {
        self.index = index
        self.run = run
        self.startsAt = startsAt
        disk.onMeet = { [faults = run.faults] in faults.meet($0, process: index) }
        life = SimulatedProcess(index: index, cluster: run.cluster, faults: run.faults, disk: disk)
    }

    var isPaused: Bool { life.isPaused }
    var canRun: Bool { !life.isPaused && (isUp || run.cluster.now >= startsAt) }

    /// One worker takes no turn until then: longer than `max.poll.interval.ms`, its client leaves the group.
    func stall(until end: Int64) {
        if end == 0 { for seat in seats { seat.stalledUntil = 0 } } else { seats.first?.stalledUntil = end }
    }

    func restartSoon() { if !isUp { startsAt = min(startsAt, run.cluster.now) } }

    private func start() {
        life = SimulatedProcess(index: index, cluster: run.cluster, faults: run.faults, disk: disk)
        limits = OutputLimits()
        life.onPause = { [unowned self] in run.goOn(without: self, for: $0) }
        seats = (0..<run.scenario.workers).map { Seat(index: $0) }
        isUp = true
    }

    /// One turn of one of its workers.
    func turn() throws {
        if !isUp { start() }
        guard let seat = run.cluster.random.pick(seats) else { return }
        guard seat.stalledUntil <= run.cluster.now else { return run.faults.meet(.stall, process: index) }
        do {
            if let worker = seat.worker {
                // Without a draw: it may come at any time and change nothing.
                if run.cluster.now % 5 == 0 { worker.releaseMemory() }
                try worker.turn()
            } else if run.cluster.now >= seat.againAt {
                try begin(seat)
            } else {
                run.cluster.advance(min(50_000_000, seat.againAt - run.cluster.now))
            }
        } catch {
            try ended(seat, error)
        }
        // A producer's call may have been its last, without a word.
        if life.isDead && isUp { down(after: run.cluster.random.within(10...8_000)) }
    }

    private func name(_ seat: Seat) -> String { "pumps-p\(index)-w\(seat.index)" }

    /// Notices what has been restored since the last poll: nothing of it is committed before the next one.
    private func noticeRestored(_ seat: Seat) {
        guard let worker = seat.worker else { return }
        for partition in worker.partitions.keys.sorted() {
            guard let state = worker.partitions[partition], seat.seen[partition] !== state else { continue }
            seat.seen[partition] = state
            run.checkMemory(state)
            if run.scenario.isExactlyOnce, let lost = state.lostBefore {
                run.noticeColdStart(partition, lost, from: state.liveFrom, of: name(seat))
            }
        }
    }

    private func begin(_ seat: Seat) throws {
        let name = name(seat)
        let consumer = SimulatedConsumer(life, instance: name)
        consumer.batchMaximum = run.scenario.batchMaximum
        consumer.onPoll = { [unowned self, unowned seat] in noticeRestored(seat) }
        seat.consumer = consumer
        seat.worker = try run.makeWorker(life, consumer, name, index: seat.index, limits)
        try seat.worker?.begin()
    }

    private func ended(_ seat: Seat, _ error: any Error) throws {
        if life.isDead {
            down(after: run.cluster.random.within(10...8_000))
            return
        }
        errors.append("\(run.cluster.now / 1_000_000): \(error)")
        run.observer.say("worker \(index).\(seat.index) ended: \(error)")
        seat.worker?.abandon(error)
        seat.worker = nil
        seat.againAt = run.cluster.now + run.cluster.random.within(100...2_000) * 1_000_000
        if let known = error as? SluiceError, known.code == .foreignState {
            throw Violation(.restoreEnds, "an engine refuses the state that it wrote itself: \(known)")
        }
        // The service ends: a person has to look, and what is none's to mend is a fault of the engine's.
        guard (Worker.mendable(error) as? SluiceError)?.retry ?? .never == .never else { return }
        guard life.hasSlept || isForPeople(error) else {
            throw Violation(.restoreEnds, "an engine gives up for good: \(error)")
        }
        life.die()
        down(after: run.cluster.random.within(10...8_000))
    }

    /// Whether somebody can mend what the service ended with; does it, where that is not a matter of time.
    private func isForPeople(_ error: any Error) -> Bool {
        switch (error as? SluiceError)?.code {
        case .unknownModel?, .invalidModel?: return disk.hasSpoiltModels(now: run.cluster.now)
        case .lostInput? where run.scenario.lostInput == .fail && run.faults.hasStruck(.retentionPast):
            // Somebody is told, and decides to go on without those inputs.
            run.cluster.after(run.cluster.random.within(10...20_000) * 1_000_000) { [run] in
                for process in run.processes { process.disk.mendModels() }
                run.lostInput = .coldStart
            }
            return true
        default: return false
        }
    }

    private func down(after milliseconds: Int64) {
        run.observer.say("process \(index) is down")
        isUp = false
        seats = []
        startsAt = run.cluster.now + milliseconds * 1_000_000
    }

    /// Dies between two calls.
    func crash(comesBackAfter milliseconds: Int64) {
        guard isUp, !life.isPaused else { return }
        life.die()
        down(after: milliseconds)
    }

    /// Is down for so long, from now on, whatever it does; who stands still goes on when he wakes up.
    func stayAway(for milliseconds: Int64) {
        crash(comesBackAfter: milliseconds)
        if !isUp { startsAt = max(startsAt, run.cluster.now + milliseconds * 1_000_000) }
    }

    /// Leaves in good order.
    ///
    /// - Returns: whether it was there to do so.
    @discardableResult
    func leave(comesBackAfter milliseconds: Int64) throws -> Bool {
        guard isUp, !life.isPaused else { return false }
        for seat in seats {
            do {
                try seat.worker?.finish()
            } catch {
                try ended(seat, error)
                if !isUp { return true }
            }
        }
        life.die()
        down(after: milliseconds)
        return true
    }

    /// Whether one of its clients is this member and sends heartbeats.
    func keepsAlive(_ member: String) -> Bool {
        seats.contains {
            $0.consumer?.member == member && $0.consumer?.isAlive == true && $0.stalledUntil <= run.cluster.now
        }
    }

    /// Calls lately made, for the reader of a failure.
    var trace: [String] { life.trace }
}
