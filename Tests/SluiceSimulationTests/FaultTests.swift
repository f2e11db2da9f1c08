import SluiceCore
import SluiceLog
import Testing

@testable import SluiceSimulation

/// A fault that does nothing tests nothing.
@Suite struct FaultTests {
    @Test(arguments: FaultKind.allCases)
    func everyFaultHasAnEffectWhereverItIsDrawn(kind: FaultKind) {
        for isExactlyOnce in [true, false] {
            for call in kind.isAtCall ? kind.calls(isExactlyOnce) : [.any] {
                #expect(
                    Self.hasEffect(kind, call, isExactlyOnce), "\(kind) at \(call), exactly-once: \(isExactlyOnce)")
            }
        }
    }

    /// Whether a run with many faults of one kind at one call is met by one; true where it is not drawn.
    private static func hasEffect(_ kind: FaultKind, _ call: FaultCall, _ isExactlyOnce: Bool) -> Bool {
        var isDrawn = false
        for seed in 1...100 as ClosedRange<UInt64> {
            let scenario = Scenario(seed: seed)
            let hasOwnTests = [FaultKind.grow, .growAway].contains(kind)
            guard scenario.isExactlyOnce == isExactlyOnce, hasOwnTests || scenario.kinds.contains(kind) else {
                continue
            }
            isDrawn = true
            let faults = (0..<40).map { index in
                Fault(
                    kind, at: scenario.milliseconds * Int64(index) / 40, process: index % scenario.processes,
                    call: call, amount: 100 + Int64(index))
            }
            let commands = (0..<20).map { index in
                Fault(.reset, at: scenario.milliseconds * Int64(index) / 20, process: index, amount: Int64(index))
            }
            if Simulation(seed: seed, plan: FaultPlan(commands + faults)).run().struck[Strike(kind, call)] != nil {
                return true
            }
        }
        return !isDrawn
    }

    @Test func noFaultIsDrawnWhereItHasNoEffect() {
        for seed in 1...300 as ClosedRange<UInt64> {
            let scenario = Scenario(seed: seed)
            for fault in scenario.plan.faults where fault.kind.isAtCall && fault.call != .any {
                #expect(fault.kind.calls.contains(fault.call), "\(fault)")
            }
        }
    }

    /// A crash behind a poll comes after its records were handed over.
    @Test func aProcessDiesWithTheRecordsThatItWasGiven() throws {
        let cluster = SimulatedCluster(seed: 1)
        cluster.addTopic(Topics.input, partitions: 1)
        try cluster.topics[Topics.input]?[0].append([record("a")])
        let faults = FaultInjector(FaultPlan([Fault(.crashAfter, at: 0, call: .readerPoll)]))
        let process = SimulatedProcess(index: 0, cluster: cluster, faults: faults, disk: SimulatedDisk())
        let reader = SimulatedReader(process)
        try reader.assign([.init(topic: Topics.input, partition: 0): 0])
        var count = 0
        #expect(throws: Crash.self) { try reader.poll(timeoutMilliseconds: 0, limit: 9) { _, _ in count += 1 } }
        #expect(count == 1 && process.isDead && faults.struck == [Strike(.crashAfter, .readerPoll): 1])
    }

    /// One partition's leader has moved: it brings nothing for a while, the other does.
    @Test func aPartitionWhoseLeaderMovedBringsNothingForAWhile() throws {
        let cluster = SimulatedCluster(seed: 1)
        cluster.addTopic(Topics.input, partitions: 2)
        for log in cluster.topics[Topics.input] ?? [] { try log.append([record("a")]) }
        let faults = FaultInjector(FaultPlan([Fault(.refused, at: 0, call: .readerPoll, amount: 1_000)]))
        let process = SimulatedProcess(index: 0, cluster: cluster, faults: faults, disk: SimulatedDisk())
        let reader = SimulatedReader(process)
        try reader.assign([.init(topic: Topics.input, partition: 0): 0, .init(topic: Topics.input, partition: 1): 0])
        var seen: [Int32] = []
        try reader.poll(timeoutMilliseconds: 0, limit: 9) { _, record in seen.append(record.partition) }
        #expect(seen.count == 1)
        cluster.advance(2_000_000_000)
        try reader.poll(timeoutMilliseconds: 0, limit: 9) { _, record in seen.append(record.partition) }
        #expect(Set(seen) == [0, 1] && faults.struck == [Strike(.refused, .readerPoll): 1])
    }
}
