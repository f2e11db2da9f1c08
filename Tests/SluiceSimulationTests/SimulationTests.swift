import Testing

@testable import SluiceSimulation

@Suite struct SimulationTests {
    /// More of them: `sluice-simulate --runs 10000`.
    @Test(arguments: [1, 2, 3, 4, 5, 6, 8, 21, 59, 62, 91])
    func theEngineKeepsItsPromises(seed: UInt64) {
        let outcome = Simulation(seed: seed).run()
        #expect(outcome.violation == nil, "sluice-simulate --seed \(seed) --runs 1")
    }

    @Test(arguments: Canary.allCases)
    func aPlantedBugIsFound(canary: Canary) {
        let found = (1...200).lazy.compactMap { Simulation(seed: $0, canary: canary).run().violation }.first
        #expect(found != nil, "\(canary), which breaks \(canary.invariant)")
    }

    @Test func theSameSeedIsTheSameRun() {
        let (one, other) = (Simulation(seed: 7).run(), Simulation(seed: 7).run())
        #expect(one.plan == other.plan && one.simulatedMilliseconds == other.simulatedMilliseconds)
        #expect(one.transactions == other.transactions && one.notes == other.notes)
    }

    @Test func aPlanIsItsText() throws {
        let plan = Scenario(seed: 2_453).plan
        #expect(!plan.faults.isEmpty)
        #expect(FaultPlan(text: plan.description) == plan)
        #expect(FaultPlan(text: "") == FaultPlan([]))
        #expect(FaultPlan(text: "crash@1:0:nothing:0") == nil)
    }

    @Test func aFailingListOfFaultsIsMadeShort() throws {
        let failing = try #require(
            (1...200).lazy.map { Simulation(seed: $0, canary: .otherModel).run() }.first {
                $0.violation != nil && $0.plan.faults.count > 3
            })
        let short = Shrinking.shrink(failing, canary: .otherModel)
        #expect(short.violation?.invariant == failing.violation?.invariant)
        #expect(short.plan.faults.count < failing.plan.faults.count)
    }

    /// Keys hash to other partitions then, away from their states.
    @Test func anInputThatGrowsIsRefusedInPlainWords() {
        let outcome = Simulation(seed: 3, plan: FaultPlan([Fault(.grow, at: 100)])).run()
        #expect(outcome.errors.contains { $0.contains("has grown to more than") })
    }
}
