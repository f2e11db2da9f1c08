import SluiceCore
package import SluiceLog

/// The group's positions.
extension GroupCoordinator {
    /// OFFSET_COMMIT.
    package func commit(_ positions: [CommittedPosition], of member: GroupMembership) throws(BrokerError) {
        try check(member)
        positions.forEach(settle)
    }

    /// Nobody has been there for longer than `offsets.retention.minutes`.
    ///
    /// - Returns: whether positions have gone by it.
    func expire() -> Bool {
        guard state == .empty, held.isEmpty, !committed.isEmpty else { return false }
        committed = [:]
        return true
    }

    private func settle(_ position: CommittedPosition) {
        if firstCommitted[position.partition] == nil { firstCommitted[position.partition] = position }
        committed[position.partition] = position
    }

    /// TXN_OFFSET_COMMIT: held until the transaction is decided.
    func hold(_ positions: [CommittedPosition], of member: GroupMembership, for producer: Int64) throws(BrokerError) {
        // Nobody in particular is let through, as a broker does: the engine must not ask so.
        if !member.member.isEmpty || member.generation >= 0 { try check(member) }
        held[producer, default: []] += positions
    }

    private func check(_ member: GroupMembership) throws(BrokerError) {
        try check(member.member, member.instance)
        guard member.generation == generation else { throw .illegalGeneration }
    }

    /// The mark of a transaction has come to the group's positions.
    func decide(_ producer: Int64, commits: Bool) {
        let positions = held.removeValue(forKey: producer) ?? []
        if commits { positions.forEach(settle) }
    }

    /// OFFSET_FETCH with "require stable" (KIP-447).
    package func stable(_ partitions: [Int32]) throws(BrokerError) -> [CommittedPosition] {
        let undecided = held.values.joined().contains { partitions.contains($0.partition) }
        guard !undecided else { throw .unstableOffsets }
        return partitions.compactMap { committed[$0] }
    }
}
