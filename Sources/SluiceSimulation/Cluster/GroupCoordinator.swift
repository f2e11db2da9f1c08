import SluiceCore
package import SluiceLog

/// The broker's side of the one consumer group: members with static identities (KIP-345), generations, eager and
/// cooperative rebalances (KIP-429), positions plain and in transactions (KIP-447).
package final class GroupCoordinator {
    package enum State: Sendable { case empty, preparing, stable }

    private struct Member {
        var instance: String?
        var heartbeat: Int64
        /// Rejoined since the rebalance began.
        var hasJoined = false
        /// What it said it owned when it joined.
        var owned: Set<Int32> = []
        var assignment: Set<Int32> = []
    }

    unowned let cluster: SimulatedCluster
    package let name = "pumps"
    package var partitions: Int32 = 1
    package var isCooperative = true
    package var sessionTimeout: Int64 = 6_000_000_000
    package var rebalanceTimeout: Int64 = 20_000_000_000
    /// Whether a member's client still sends heartbeats.
    package var isAlive: (String) -> Bool = { _ in true }
    package private(set) var state = State.empty
    package private(set) var generation: Int32 = 0
    private var members: [String: Member] = [:]
    private var deadline: Int64 = 0
    private var nextMember = 0
    /// Since when a partition has had no owner in a settled group.
    private var orphanedSince: Int64?
    /// Turns the assignment, so that a rebalance without a change of members can move partitions.
    package var rotation = 0
    package internal(set) var committed: [Int32: CommittedPosition] = [:]
    package internal(set) var firstCommitted: [Int32: CommittedPosition] = [:]
    var held: [Int64: [CommittedPosition]] = [:]

    init(_ cluster: SimulatedCluster) { self.cluster = cluster }

    /// Joins, or joins anew with what it owns; a static member takes its predecessor's place without a rebalance.
    package func join(_ id: String?, instance: String?, owned: Set<Int32>) throws(BrokerError) -> String {
        if let id {
            try check(id, instance)
            members[id]?.hasJoined = true
            members[id]?.owned = owned
            members[id]?.heartbeat = cluster.now
            if state == .stable { prepare(); members[id]?.hasJoined = true }
            completeIfAllJoined()
            return id
        }
        nextMember += 1
        let new = "\(instance ?? "member")-\(nextMember)"
        var member = Member(instance: instance, heartbeat: cluster.now, hasJoined: true)
        if let instance, let old = members.first(where: { $0.value.instance == instance }) {
            members[old.key] = nil
            member.assignment = old.value.assignment
            members[new] = member
            // Its predecessor will not come back to let go of what was meant for another; the metadata of the two
            // differ then, and a broker rebalances.
            let given = members.values.reduce(into: Set<Int32>()) { $0.formUnion($1.assignment) }
            if state == .stable && given.count < Int(partitions) {
                prepare()
                members[new]?.hasJoined = true
            }
            completeIfAllJoined()
            return new
        }
        if state != .preparing { prepare() }
        members[new] = member
        completeIfAllJoined()
        return new
    }

    /// What a heartbeat of the member is answered: nothing, or why not.
    package func heartbeat(_ id: String, instance: String?, generation: Int32) throws(BrokerError) {
        try check(id, instance)
        members[id]?.heartbeat = cluster.now
        // In this order, as a broker looks: who has slept through a generation is not asked to join the next.
        guard generation == self.generation else { throw .illegalGeneration }
        if state == .preparing { throw .rebalanceInProgress }
    }

    /// What the member is to own in the present generation; nil while that is being settled.
    package func assignment(_ id: String) -> Set<Int32>? { state == .stable ? members[id]?.assignment : nil }

    /// Whether a member takes part in the present generation.
    package func hasJoined(_ id: String) -> Bool { members[id]?.hasJoined == true }

    /// Takes a member out at once.
    package func leave(_ id: String) {
        guard members.removeValue(forKey: id) != nil else { return }
        if members.isEmpty { state = .empty; generation += 1 } else { prepare() }
        completeIfAllJoined()
    }

    /// A rebalance without a cause that members see.
    ///
    /// - Returns: whether there is one.
    @discardableResult
    package func rebalance() -> Bool {
        guard state == .stable else { return false }
        rotation += 1
        prepare()
        return true
    }

    func check(_ id: String, _ instance: String?) throws(BrokerError) {
        if let instance, let current = members.first(where: { $0.value.instance == instance }), current.key != id {
            throw .fencedInstance
        }
        guard members[id] != nil else { throw .unknownMember }
    }

    private func prepare() {
        state = .preparing
        deadline = cluster.now + rebalanceTimeout
        for id in members.keys { members[id]?.hasJoined = false }
    }

    private func completeIfAllJoined() {
        guard state == .preparing, members.values.allSatisfy(\.hasJoined) else { return }
        complete()
    }

    private func complete() {
        generation += 1
        state = .stable
        let ids = members.keys.sorted { (members[$0]?.instance ?? $0, $0) < (members[$1]?.instance ?? $1, $1) }
        guard !ids.isEmpty else { state = .empty; return }
        for partition in 0..<partitions {
            let target = ids[(Int(partition) + rotation) % ids.count]
            for id in ids { members[id]?.assignment.remove(partition) }
            // What another member still owns is given when it has let go of it, in the rebalance that follows that.
            let owner = ids.first { members[$0]?.owned.contains(partition) == true }
            if owner == nil || owner == target { members[target]?.assignment.insert(partition) }
        }
    }

    /// Sessions that are over, rebalances that waited long enough.
    func tick() {
        for id in members.keys.sorted() where isAlive(id) { members[id]?.heartbeat = cluster.now }
        let expired = members.filter { cluster.now - $0.value.heartbeat > sessionTimeout }.keys
        if !expired.isEmpty {
            expired.forEach { members[$0] = nil }
            if members.isEmpty { state = .empty; generation += 1 } else { prepare() }
        }
        adoptOrphans()
        guard state == .preparing, cluster.now > deadline else { return }
        // Static members that did not rejoin keep their place until their session is over; others are out.
        for (id, member) in members where !member.hasJoined && member.instance == nil { members[id] = nil }
        for (id, member) in members where !member.hasJoined { members[id]?.owned = member.assignment }
        complete()
    }

    /// For the reader of a failure.
    package var summary: String {
        let each = members.keys.sorted().map { "\($0) has \((members[$0]?.assignment ?? []).sorted())" }
        return "generation \(generation) \(state): \(each.joined(separator: ", "))"
    }

    /// Who was to let go of a partition may have slept or died meanwhile: then nobody joins anew by himself, and the
    /// group is settled again after a while.
    private func adoptOrphans() {
        let given = members.values.reduce(into: Set<Int32>()) { $0.formUnion($1.assignment) }
        guard state == .stable, given.count < Int(partitions) else {
            orphanedSince = nil
            return
        }
        let since = orphanedSince ?? cluster.now
        orphanedSince = since
        guard cluster.now - since > rebalanceTimeout / 2 else { return }
        orphanedSince = nil
        prepare()
    }
}
