import SluiceCore
package import SluiceLog

/// A member of the group on the input. Its heartbeats go on by themselves as long as its process runs; everything else
/// happens inside its calls.
package final class SimulatedConsumer: LogConsumer {
    let process: SimulatedProcess
    let instance: String
    private weak var listener: (any RebalanceListener)?
    /// Nil before it has joined, and after its place was lost.
    package private(set) var member: String?
    var generation: Int32 = -1
    private var owned: Set<Int32> = []
    /// Where each opened partition is read next.
    var positions: [Int32: Offset] = [:]
    var paused: Set<Int32> = []
    var silence = Silence()
    private var isClosed = false
    private var isFenced = false
    private var needsJoin = true
    /// How many records a poll brings at most, drawn from here.
    package var batchMaximum = 64
    /// What the commit under way is answered, and after how many more questions.
    var refusal: SluiceError?
    var answersAfter = 0
    /// Called at the beginning of each poll.
    var onPoll: () -> Void = {}

    var cluster: SimulatedCluster { process.cluster }
    var group: GroupCoordinator { process.cluster.group }

    package init(_ process: SimulatedProcess, instance: String) {
        self.process = process
        self.instance = instance
    }

    package func subscribe(_ listener: any RebalanceListener) throws { self.listener = listener }

    package func poll(
        timeoutMilliseconds: Int, limit: Int, _ body: (UnsafeBufferPointer<LogRecord>) throws -> Void
    ) throws {
        onPoll()
        let fault = try process.enter(.poll)
        try follow()
        silence.add(fault, of: positions.keys.map { TopicPartition(topic: Topics.input, partition: $0) }, process)
        var found = try fetch(limit)
        if found.isEmpty && timeoutMilliseconds > 0 {
            let end = cluster.now + Int64(timeoutMilliseconds) * 1_000_000
            let next = min(end, max(cluster.now + 50_000, cluster.nextEvent ?? end))
            cluster.advance(next - cluster.now)
            found = try fetch(limit)
        } else {
            cluster.advance(cluster.random.within(20_000...2_000_000))
        }
        guard !found.isEmpty else { return try process.finish(fault) }
        // A record that was handed over is behind the position, whatever becomes of it.
        for one in found { positions[one.partition] = one.record.offset + 1 }
        try withLogRecords(found, body)
        try process.finish(fault)
    }

    // MARK: - The group

    /// What a client does in a poll for its membership: joins, learns of rebalances, tells the listener.
    private func follow() throws {
        guard !cluster.areCoordinatorsAway, !process.isIsolated else { return }
        if isFenced { throw fenced() }
        do {
            if let member, !needsJoin {
                try group.heartbeat(member, instance: instance, generation: generation)
            } else {
                try join()
            }
        } catch BrokerError.rebalanceInProgress {
            try rejoin()
        } catch BrokerError.illegalGeneration {
            // The assignment of a newer generation is there; or the group went on without this member, and what it owns
            // may be another's: librdkafka and the Java client count it as lost.
            if let member, !group.hasJoined(member) {
                lose()
                try join()
            }
        } catch BrokerError.fencedInstance {
            isFenced = true
            lose()
            throw fenced()
        } catch BrokerError.unknownMember {
            lose()
            try join()
        }
        try takeAssignment()
    }

    private func fenced() -> SluiceError {
        SluiceError(.broker, "the member \(instance): \(BrokerError.fencedInstance.rawValue)", retry: .fatal)
    }

    private func join() throws {
        do {
            member = try group.join(member, instance: instance, owned: owned)
            needsJoin = false
        } catch BrokerError.unknownMember {
            lose()
            member = try group.join(nil, instance: instance, owned: [])
            needsJoin = false
        }
    }

    private func rejoin() throws {
        if !group.isCooperative && !owned.isEmpty {
            let leaving = owned.sorted()
            listener?.partitionsRevoked(leaving)
            forget(leaving)
        }
        if process.isDead { throw Crash() }
        do { try join() } catch BrokerError.fencedInstance {
            isFenced = true
            lose()
            throw fenced()
        }
    }

    private func takeAssignment() throws {
        guard let member, group.generation != generation, let assignment = group.assignment(member) else { return }
        generation = group.generation
        let gone = owned.subtracting(assignment).sorted()
        let new = assignment.subtracting(owned).sorted()
        if !gone.isEmpty {
            listener?.partitionsRevoked(gone)
            forget(gone)
            // Cooperative: what was let go of is given away in a rebalance of its own.
            needsJoin = true
        }
        if process.isDead { throw Crash() }
        owned.formUnion(new)
        if !new.isEmpty { listener?.partitionsAssigned(new) }
        if process.isDead { throw Crash() }
    }

    private func lose() {
        let lost = owned.sorted()
        member = nil
        generation = -1
        needsJoin = true
        forget(lost)
        if !lost.isEmpty { listener?.partitionsLost(lost) }
    }

    private func forget(_ partitions: [Int32]) {
        owned.subtract(partitions)
        for partition in partitions { positions[partition] = nil }
        paused.subtract(partitions)
    }

    package func membership() throws -> GroupMembership {
        if isFenced { throw fenced() }
        guard let member, generation >= 0, !needsJoin else {
            throw SluiceError(.broker, "the member \(instance) has no place in its group", retry: .later)
        }
        return GroupMembership(group: group.name, generation: generation, member: member, instance: instance)
    }

    package func wake() {}

    /// A static member keeps its place until its session is over (KIP-345).
    package func close() {
        guard !isClosed else { return }
        isClosed = true
        if !process.isDead && !owned.isEmpty { listener?.partitionsRevoked(owned.sorted()) }
        forget(owned.sorted())
    }

    /// Whether the client sends heartbeats.
    package var isAlive: Bool { !isClosed && process.isRunning && !process.isIsolated }
}
