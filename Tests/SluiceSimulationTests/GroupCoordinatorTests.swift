import SluiceCore
import SluiceLog
import Testing

@testable import SluiceSimulation

/// What the group coordinator does, as Kafka's: static members (KIP-345), cooperative rebalances (KIP-429), positions
/// of transactions held against the generation (KIP-447).
@Suite struct GroupCoordinatorTests {
    private let cluster = SimulatedCluster(seed: 1)
    private var group: GroupCoordinator { cluster.group }
    private let position = CommittedPosition(partition: 0, offset: 1, metadata: "")

    private func membership(_ member: String, _ instance: String?, generation: Int32? = nil) -> GroupMembership {
        GroupMembership(
            group: group.name, generation: generation ?? group.generation, member: member, instance: instance)
    }

    @Test func aStaticMemberThatComesBackCausesNoRebalanceAndFencesItsPredecessor() throws {
        let old = try group.join(nil, instance: "i", owned: [])
        let generation = group.generation
        let new = try group.join(nil, instance: "i", owned: [])
        #expect(new != old && group.generation == generation)
        #expect(group.assignment(new) == [0])
        #expect(throws: BrokerError.fencedInstance) {
            try group.heartbeat(old, instance: "i", generation: generation)
        }
        #expect(throws: BrokerError.fencedInstance) { try group.commit([position], of: membership(old, "i")) }
    }

    @Test func aSessionThatIsOverEndsTheMembership() throws {
        let member = try group.join(nil, instance: nil, owned: [])
        group.isAlive = { _ in false }
        cluster.advance(group.sessionTimeout + 1)
        #expect(group.state == .empty)
        #expect(throws: BrokerError.unknownMember) {
            try group.hold([position], of: membership(member, nil), for: 1)
        }
    }

    @Test func positionsOfAnOlderGenerationAreRefused() throws {
        let one = try group.join(nil, instance: "a", owned: [])
        let generation = group.generation
        _ = try group.join(nil, instance: "b", owned: [])
        _ = try group.join(one, instance: "a", owned: [0])
        #expect(group.generation > generation)
        #expect(throws: BrokerError.illegalGeneration) {
            try group.hold([position], of: membership(one, "a", generation: generation), for: 1)
        }
        try group.hold([position], of: membership(one, "a"), for: 1)
    }

    /// Measured on 3.6: generation −1 with an empty member is let through. The engine must not ask so.
    @Test func positionsInNobodysNameAreTaken() throws {
        try group.hold([position], of: membership("", nil, generation: -1), for: 1)
        group.decide(1, commits: true)
        #expect(group.committed[0] == position)
    }

    @Test func whatAnotherOwnsIsGivenAwayOnlyWhenItIsLetGoOf() throws {
        group.partitions = 2
        let one = try group.join(nil, instance: "a", owned: [])
        #expect(group.assignment(one) == [0, 1])
        let other = try group.join(nil, instance: "b", owned: [])
        _ = try group.join(one, instance: "a", owned: [0, 1])
        #expect(group.assignment(one) == [0] && group.assignment(other) == [])
        _ = try group.join(one, instance: "a", owned: [0])
        _ = try group.join(other, instance: "b", owned: [])
        #expect(group.assignment(one) == [0] && group.assignment(other) == [1])
    }
}
