import Foundation
import SluiceEngine
import Testing

@testable import SluiceSimulation

@Suite struct SimulationTests {
    /// More of them: `sluice-simulate --runs 10000`.
    @Test(
        arguments: [
            1, 2, 3, 4, 5, 6, 8, 21, 59, 62, 66, 91, 138, 155, 559, 986, 104_847, 200_147, 200_196, 200_385, 200_423,
            200_463, 200_478, 200_878, 201_237, 300_178, 302_003, 400_523, 401_714, 1_005_708, 1_007_848,
        ])
    func theEngineKeepsItsPromises(seed: UInt64) {
        let outcome = Simulation(seed: seed).run()
        #expect(outcome.violation == nil, "sluice-simulate --seed \(seed) --runs 1")
    }

    @Test(arguments: Canary.allCases)
    func aPlantedBugIsFound(canary: Canary) {
        let found = Self.firstFailing(canary) { $0.violation?.invariant == canary.invariant }
        #expect(found != nil, "\(canary), which breaks \(canary.invariant)")
    }

    @Test func everyInvariantHasACanary() {
        #expect(Set(Canary.allCases.map(\.invariant)) == Set(Invariant.allCases))
    }

    /// The first run with a planted bug that fails and is as wanted; each seed runs once.
    private static func firstFailing(_ canary: Canary, _ isWanted: (Outcome) -> Bool) -> Outcome? {
        for seed in 1...200 as ClosedRange<UInt64> {
            let outcome = Simulation(seed: seed, canary: canary).run()
            if outcome.violation != nil && isWanted(outcome) { return outcome }
        }
        return nil
    }

    /// The worker goes through dictionaries, whose order is drawn anew in each process otherwise.
    private static let isOrdered = ProcessInfo.processInfo.environment["SWIFT_DETERMINISTIC_HASHING"] != nil

    @Test(.enabled(if: isOrdered, "make test sets SWIFT_DETERMINISTIC_HASHING=1"))
    func theSameSeedIsTheSameRun() {
        let (one, other) = (Simulation(seed: 7).run(), Simulation(seed: 7).run())
        #expect(one.plan == other.plan && one.simulatedMilliseconds == other.simulatedMilliseconds)
        #expect(one.transactions == other.transactions && one.notes == other.notes)
    }

    /// Predictions and rejects above a topic's limit.
    @Test func whatABrokerRefusesIsLeftOutAndNothingElse() {
        var refused = 0
        for seed in 1...60 as ClosedRange<UInt64> where !Scenario(seed: seed).messageBytesMax.isEmpty {
            let outcome = Simulation(seed: seed).run()
            #expect(outcome.violation == nil, "sluice-simulate --seed \(seed) --runs 1")
            if (outcome.notes + outcome.errors).contains(where: { $0.contains("is refused by") }) { refused += 1 }
        }
        #expect(refused > 5)
    }

    /// But for those that have tests of their own.
    @Test func everyKindOfFaultIsDrawn() {
        let drawn = (1...200 as ClosedRange<UInt64>).flatMap { Scenario(seed: $0).plan.faults.map(\.kind) }
        #expect(Set(drawn) == Set(FaultKind.allCases).subtracting([.grow, .growAway]))
    }

    @Test func aRunWithoutAnEndIsAViolation() {
        let outcome = Simulation(seed: 1, stepsMaximum: 500).run()
        #expect(outcome.violation?.invariant == .restoreEnds)
        #expect(outcome.violation?.message.contains("does not come to rest") == true)
    }

    /// The changelog's head says where to go on, or the store of the machine; or all is folded and answered again.
    @Test(arguments: [FaultKind.offsetsExpired, .producersExpired])
    func whatTheBrokersForgetIsNotNeeded(kind: FaultKind) {
        var runs = 0
        for seed in 1...60 as ClosedRange<UInt64> where runs < 5 {
            let scenario = Scenario(seed: seed)
            guard scenario.kinds.contains(kind) else { continue }
            let plan = FaultPlan([Fault(kind, at: scenario.milliseconds / 2, amount: 1_000)])
            let outcome = Simulation(seed: seed, plan: plan).run()
            #expect(outcome.violation == nil, "sluice-simulate --seed \(seed) --runs 1 --faults \"\(plan)\"")
            if outcome.struck[Strike(kind)] != nil { runs += 1 }
        }
        #expect(runs > 0)
    }

    @Test func aStepThatOverflowsIsAReject() {
        var rejects = 0
        for seed in 1...60 as ClosedRange<UInt64> where Scenario(seed: seed).huge != nil && rejects == 0 {
            rejects = Simulation(seed: seed).run().rejects["non-finite"] ?? 0
        }
        #expect(rejects > 0)
    }

    @Test(arguments: LostInputPolicy.allCases)
    func streamsThatLackInputsBeginColdAndNoOther(policy: LostInputPolicy) {
        var hasBegun = false
        for seed in 1...200 as ClosedRange<UInt64> {
            let scenario = Scenario(seed: seed)
            guard !hasBegun, scenario.lostInput == policy, scenario.isExactlyOnce else { continue }
            let past = (1...3).map { Fault(.retentionPast, at: scenario.milliseconds * $0 / 4, amount: 500) }
            let plan = FaultPlan(scenario.plan.faults + past)
            let outcome = Simulation(seed: seed, plan: plan).run()
            #expect(outcome.violation == nil, "sluice-simulate --seed \(seed) --runs 1 --faults \"\(plan)\"")
            hasBegun = outcome.coldStarts > 0
            guard hasBegun, policy == .fail else { continue }
            #expect(outcome.errors.contains { $0.contains("retention has passed them") })
        }
        #expect(hasBegun)
    }

    @Test func aPlanIsItsText() throws {
        let plan = Scenario(seed: 2_453).plan
        #expect(!plan.faults.isEmpty)
        #expect(FaultPlan(text: plan.description) == plan)
        #expect(FaultPlan(text: "") == FaultPlan([]))
        #expect(FaultPlan(text: "crash@1:0:nothing:0") == nil)
    }

    @Test(.enabled(if: isOrdered, "make test sets SWIFT_DETERMINISTIC_HASHING=1"))
    func aFailingListOfFaultsIsMadeShort() throws {
        let failing = try #require(Self.firstFailing(.otherModel) { $0.plan.faults.count > 3 })
        let short = Shrinking.shrink(failing, canary: .otherModel)
        #expect(short.violation?.invariant == failing.violation?.invariant)
        #expect(short.plan.faults.count < failing.plan.faults.count)
    }

    /// Keys hash to other partitions then, away from their states.
    @Test func anInputThatGrowsIsRefusedInPlainWords() {
        let outcome = Simulation(seed: 3, plan: FaultPlan([Fault(.grow, at: 100)])).run()
        #expect(outcome.errors.contains { $0.contains("has grown to more than") })
    }

    /// Whatever grew alike: the states know with how many partitions they were written.
    @Test(arguments: [3, 4, 5, 8] as [UInt64])
    func anInputThatGrewWhileTheServiceWasAwayIsRefused(seed: UInt64) {
        let partitions = Scenario(seed: seed).partitions
        let plan = FaultPlan([Fault(.growAway, at: Scenario(seed: seed).milliseconds / 2, amount: 500)])
        let outcome = Simulation(seed: seed, plan: plan).run()
        let words = "had \(partitions) partitions when its states were written, and has \(partitions + 1) now"
        #expect(outcome.errors.contains { $0.contains(words) }, "\(outcome.errors)")
    }
}
