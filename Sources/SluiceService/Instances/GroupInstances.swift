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
        let answers = await withTaskGroup(of: (OtherInstance, Result<Int32?, any Error>).self) { group in
            for instance in others {
                group.addTask {
                    do {
                        return (instance, .success(try await self.partition(request, on: instance)))
                    } catch {
                        return (instance, .failure(error))
                    }
                }
            }
            return await group.reduce(into: []) { $0.append($1) }
        }
        for case (let instance, .success(let partition?)) in answers { return (instance, partition) }
        for (_, answer) in answers { _ = try answer.get() }
        return nil
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
