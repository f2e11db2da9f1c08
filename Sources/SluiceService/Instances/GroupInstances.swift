package import SluiceAdmin
import SluiceConfiguration
import SluiceCore
package import SluiceKafka
import Synchronization

/// The other instances as the consumer group knows them: every member says in its identity where its instance answers.
package final class GroupInstances: OtherInstances {
    /// How long what the group said is believed: a burst of unknown keys is one question.
    private static let validity = Duration.seconds(1)
    private static let probeSeconds = 5.0

    private let own: InstanceName
    private let client = InstanceClient()
    private let ask: @Sendable () async throws -> [GroupMember]
    private let known = Mutex<(members: [GroupMember], until: ContinuousClock.Instant)?>(nil)

    /// - Parameters:
    ///   - own: of any worker of this instance.
    ///   - members: of the group, as its coordinator knows them.
    package init(_ own: InstanceName, members: @escaping @Sendable () async throws -> [GroupMember]) {
        self.own = own
        ask = members
    }

    private func members() async throws -> [GroupMember] {
        if let known = known.withLock({ $0 }), .now < known.until { return known.members }
        let members = try await ask()
        known.withLock { $0 = (members, .now + Self.validity) }
        return members
    }

    /// The instance of a member; nil for this one.
    private func other(_ member: GroupMember) -> OtherInstance? {
        guard let name = member.instance.flatMap({ InstanceName($0) }) else {
            return OtherInstance(name: member.instance ?? member.host, address: nil)
        }
        guard name.instance != own.instance else { return nil }
        // Its loopback is not this machine's.
        let isReachable = name.host == own.host || AdminSection.Address(name.address)?.isLoopback != true
        return OtherInstance(name: name.instance, address: isReachable ? name.address : nil)
    }

    package func holder(
        of target: String, authorization: String?
    ) async throws -> (instance: OtherInstance, partition: Int32)? {
        let others = Set(try await members().compactMap { other($0) })
        let request = ForwardedRequest(target: target, authorization: authorization, seconds: Self.probeSeconds)
        let probes = await withTaskGroup(of: Probe.self) { group in
            for instance in others { group.addTask { await self.probe(request, instance) } }
            var probes: [Probe] = []
            for await probe in group { probes.append(probe) }
            return probes
        }
        for probe in probes { if let partition = probe.partition { return (probe.instance, partition) } }
        for probe in probes { if let error = probe.error { throw error } }
        return nil
    }

    /// What an instance said of a stream: its partition, or nothing, or why it said nothing.
    private struct Probe: Sendable {
        var instance: OtherInstance
        var partition: Int32?
        var error: (any Error)?
    }

    /// A function of its own, not a closure that returns a tuple: of that Swift 6.3.1 makes a child task that leaves
    /// its result unwritten, in a release build.
    private func probe(_ request: ForwardedRequest, _ instance: OtherInstance) async -> Probe {
        var probe = Probe(instance: instance)
        do {
            probe.partition = try await partition(request, on: instance)
        } catch {
            probe.error = error
        }
        return probe
    }

    /// On which partition of an instance a stream lives; nil where it does not know it.
    private func partition(_ request: ForwardedRequest, on instance: OtherInstance) async throws -> Int32? {
        let answer = try await client.send(request, to: instance)
        switch answer.status {
        case 200:
            guard let partition = InstanceClient.partition(answer) else {
                throw InstanceClient.away(instance, "it answers something else than Sluice does")
            }
            return partition
        case 404 where InstanceClient.code(answer) == Problem.Kind.streamUnknown.rawValue: return nil
        case 401, 403:
            throw InstanceClient.away(
                instance, "it refuses the access token: all instances of a service need the same admin.tokens")
        default:
            throw InstanceClient.away(instance, InstanceClient.detail(answer) ?? "it answers with \(answer.status)")
        }
    }

    package func owner(of partition: Int32) async throws -> OtherInstance? {
        try await members().first { $0.partitions.contains(partition) }.flatMap { other($0) }
    }

    package func answer(_ request: ForwardedRequest, from instance: OtherInstance) async throws -> ForwardedAnswer {
        try await client.send(request, to: instance)
    }
}
