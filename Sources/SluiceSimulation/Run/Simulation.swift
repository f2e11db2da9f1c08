import SluiceCore
import SluiceEngine
import SluiceLog

/// One run of the service in a simulated world: from a seed to a verdict.
package final class Simulation {
    static let messageBytesMax = 2_500
    /// Turns of workers behind healing within which all must be done, and how long that may take them; sessions and
    /// transactions of the dead run out meanwhile.
    private static let healedTurns = 3_000
    private static let healedNanoseconds: Int64 = 180_000_000_000
    private static let healedTurnsMaximum = 50_000
    /// Turns in which nothing may be left to do before a run counts as quiet.
    private static let quietTurns = 30

    package let seed: UInt64
    package let plan: FaultPlan
    let scenario: Scenario
    let cluster: SimulatedCluster
    let faults: FaultInjector
    let observer: SimulatedObserver
    let canary: Canary?
    private let stepsMaximum: Int
    /// Of the input, as a service finds it that starts.
    var inputPartitions: Int
    private(set) var processes: [ServiceProcess] = []
    private var identities = 0
    private var producers: Int64 = 0
    var commands = Commands()
    var coldStarts: [ColdStart] = []
    var earlierStates: [EarlierState] = []
    /// Milliseconds for which all processes are to be away when that costs states their inputs.
    var absence: Int64?
    /// Until then all processes are away, for something to expire meanwhile.
    var awayUntil: Int64 = 0
    /// `state.lost_input` as it is set now.
    var lostInput: LostInputPolicy

    /// - Parameters:
    ///   - plan: instead of the seed's own.
    ///   - excluded: kinds of faults that are left out of the seed's plan.
    ///   - stepsMaximum: calls and waits after which a run counts as one without an end; others take some hundred
    ///     thousand.
    package init(
        seed: UInt64, plan: FaultPlan? = nil, without excluded: Set<FaultKind> = [], canary: Canary? = nil,
        stepsMaximum: Int = 20_000_000
    ) {
        self.seed = seed
        self.stepsMaximum = stepsMaximum
        self.canary = canary
        var scenario = Scenario(seed: seed)
        canary?.adapt(&scenario)
        self.scenario = scenario
        lostInput = scenario.lostInput
        inputPartitions = scenario.partitions
        self.plan = plan ?? FaultPlan(scenario.plan.faults.filter { !excluded.contains($0.kind) })
        let cluster = SimulatedCluster(seed: seed ^ 0x5EED)
        self.cluster = cluster
        cluster.stepsLeft = stepsMaximum
        faults = FaultInjector(self.plan)
        observer = SimulatedObserver { cluster.now }
        observer.say("\(scenario)")
        cluster.onMeet = { [faults] in faults.meet($0) }
        setUp()
    }

    private func setUp() {
        let count = scenario.partitions
        for topic in [Topics.input, Topics.control, Topics.predictions, Topics.slots] {
            cluster.addTopic(topic, partitions: count)
        }
        cluster.addTopic(Topics.rejects, partitions: 1)
        cluster.addTopic(Topics.events, partitions: 2)
        cluster.messageBytesMax = scenario.messageBytesMax
        cluster.group.partitions = Int32(count)
        cluster.group.isCooperative = scenario.isCooperative
        cluster.group.sessionTimeout = scenario.sessionMilliseconds * 1_000_000
        var random = SimulationRandom(seed: scenario.workloadSeed ^ 1)
        cluster.schedule(Workload(scenario), transactional: scenario.isUpstreamTransactional, &random)
        for index in 0..<scenario.processes {
            processes.append(ServiceProcess(index, self, startsAt: random.within(0...500) * 1_000_000))
        }
        cluster.group.isAlive = { [unowned self] member in processes.contains { $0.keepsAlive(member) } }
    }

    /// Runs to the end and checks.
    package func run() -> Outcome {
        do {
            try work()
            try heal()
            let checker = try Checker(self)
            try checker.check()
            try checker.checkRewinds(makeRewind(as: processes.count))
            try checker.checkRewinds(earlierStates)
            return outcome(nil)
        } catch let violation as Violation {
            return outcome(violation)
        } catch {
            return outcome(Violation(.restoreEnds, "the run broke off: \(error)"))
        }
    }

    private func work() throws {
        while cluster.now < scenario.milliseconds * 1_000_000 { try step() }
    }

    /// Everything works again: what is left must be done in a bounded number of turns.
    private func heal() throws {
        faults.isOn = false
        cluster.weather = SimulatedCluster.Weather()
        for process in processes {
            process.disk.fullUntil = 0
            process.life.isolatedUntil = 0
            process.stall(until: 0)
            process.restartSoon()
        }
        let began = cluster.now
        var turns = 0
        var quiet = 0
        while quiet < Self.quietTurns {
            try step()
            turns += 1
            let left = unfinished
            quiet = left == nil ? quiet + 1 : 0
            let isOver = turns > Self.healedTurns && cluster.now - began > Self.healedNanoseconds
            if let left, isOver || turns > Self.healedTurnsMaximum {
                let seconds = (cluster.now - began) / 1_000_000_000
                throw Violation(.restoreEnds, "after \(turns) turns and \(seconds) s without a fault \(left)")
            }
        }
        for process in processes { try process.leave(comesBackAfter: 1_000_000) }
    }

    /// One turn of one worker of one process, or time that passes.
    private func step() throws {
        if let broken { throw broken }
        guard !cluster.isExhausted else {
            throw Violation(.restoreEnds, "the run does not come to rest: it has taken \(stepsMaximum) steps")
        }
        for fault in faults.due(milliseconds: cluster.now / 1_000_000) { try apply(fault) }
        goAway()
        guard let process = cluster.random.pick(processes.filter(\.canRun)) else {
            cluster.advance(20_000_000)
            return
        }
        try process.turn()
        cluster.advance(cluster.random.within(1_000...50_000))
    }

    /// The others go on while a process stands still within a call.
    func goOn(without process: ServiceProcess, for nanoseconds: Int64) {
        observer.say("process \(process.index) stands still")
        let end = cluster.now + nanoseconds
        while cluster.now < end && broken == nil {
            // What the others break is found when the run goes on: nothing can be thrown through the one that sleeps.
            goOn()
        }
        observer.say("process \(process.index) goes on")
    }

    /// The others take a turn while somebody outside waits for something.
    func goOn() {
        do { try step() } catch { fail(error) }
    }

    /// Something went wrong where nothing can be thrown.
    func fail(_ error: any Error) { broken = broken ?? error }

    /// What went wrong while somebody slept.
    private var broken: (any Error)?

    func makeIdentity() -> String {
        identities += 1
        return "log-\(identities)"
    }

    func makeProducerID() -> Int64 {
        producers += 1
        return 100_000 + producers
    }

    private func outcome(_ violation: Violation?) -> Outcome {
        if violation != nil {
            for process in processes {
                process.trace.suffix(40).forEach { observer.say("process \(process.index) \($0)") }
            }
        }
        var found = violation
        if let broken { found = broken as? Violation ?? Violation(.restoreEnds, "\(broken)") }
        return Outcome(
            seed: seed, plan: plan, violation: found, struck: faults.struck,
            transactions: cluster.transactions.tally, inputs: scenario.inputs,
            simulatedMilliseconds: cluster.now / 1_000_000, rejects: observer.rejects,
            coldStarts: coldStarts.count, steps: stepsMaximum - cluster.stepsLeft, notes: observer.notes,
            errors: processes.flatMap(\.errors))
    }
}

/// What became of a run.
package struct Outcome: Sendable {
    package var seed: UInt64
    package var plan: FaultPlan
    package var violation: Violation?
    /// Faults that had an effect.
    package var struck: [Strike: Int]
    package var transactions: TransactionCoordinator.Tally
    package var inputs: Int
    package var simulatedMilliseconds: Int64
    /// Rejects that were made, committed or not, by code.
    package var rejects: [String: Int]
    /// Partitions restored without inputs that some of their states needed.
    package var coldStarts: Int
    /// Calls and waits.
    package var steps: Int
    /// What the engines said, newest last.
    package var notes: [String]
    /// What ended workers that did not crash.
    package var errors: [String]
}
