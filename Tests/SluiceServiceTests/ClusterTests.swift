import Foundation
import SluiceConfiguration
import SluiceCore
import SluiceLog
import Synchronization
import Testing

@testable import SluiceKafka
@testable import SluiceService

/// What a service asks of its cluster before it starts.
@Suite struct ClusterTests {
    private let plan = TopicPlan(application: "a", input: "in", output: "out", rejects: "in.rejected")

    /// A cluster with an admin API, which the embedded broker lacks.
    private final class ScriptedAdmin: LogAdmin {
        var topics: [String: Int]
        init(_ topics: [String: Int]) { self.topics = topics }

        func clusterID(timeoutMilliseconds: Int) throws -> String { "scripted" }
        func describe(_ names: [String], timeoutMilliseconds: Int) throws -> [TopicDescription] {
            names.compactMap { name in topics[name].map { TopicDescription(name: name, partitions: $0) } }
        }
        func create(_ topic: TopicDescription, timeoutMilliseconds: Int) throws {
            guard topics[topic.name] == nil else { throw SluiceError(.topicExists, topic.name) }
            topics[topic.name] = topic.partitions
        }
    }

    @Test func ownTopicsAreMadeWithTheInputsPartitions() throws {
        let admin = ScriptedAdmin(["in": 3, "out": 3, "in.rejected": 1])
        let found = try Cluster.topics(plan, admin, isEmbedded: false)
        #expect(found.map(\.name).sorted() == ["a.control", "a.events", "in", "in.rejected", "out"])
        #expect(admin.topics["a.control"] == 3)
    }

    @Test func topicsOfTheUserAreNeverMadeAndAllThatIsMissingIsNamed() {
        let admin = ScriptedAdmin(["in": 3])
        let error = #expect(throws: SluiceError.self) { try Cluster.topics(plan, admin, isEmbedded: false) }
        #expect(error?.code == .topic && error?.retry == .never)
        #expect(error?.message == "the topic out does not exist; the topic in.rejected does not exist")
        #expect(error?.remedy?.contains("sluice topics create") == true)
        let none = #expect(throws: SluiceError.self) { try Cluster.topics(plan, ScriptedAdmin([:]), isEmbedded: false) }
        #expect(none?.message.contains("the topic in does not exist") == true)
    }

    @Test func unequalPartitionsAreRefusedByName() throws {
        let rig = try ServiceRig(partitions: 2, topics: ["predictions": 3, "pumps.control": 1])
        let error = #expect(throws: SluiceError.self) {
            try Cluster(rig.configuration, health: ServiceRig.health, logger: ServiceRig.quiet) { false }
        }
        #expect(error?.code == .topic)
        #expect(error?.message.contains("the topic predictions has 3 partitions, it needs 2") == true)
        #expect(error?.message.contains("the topic pumps.control has 1 partitions, it needs 2") == true)
    }

    @Test func aBrokerThatComesLaterIsWaitedFor() async throws {
        // A port that was free a moment ago.
        let first = try EmbeddedBroker(port: 0, logger: ServiceRig.quiet)
        let bootstrap = first.bootstrap
        first.close()
        let configuration = try ServiceRig.configuration(bootstrap, "unused").configuration
        let attempts = Atomic<Int>(0)
        let cluster = Task {
            try await onThread {
                try Cluster(configuration, health: ServiceRig.health, logger: ServiceRig.quiet) {
                    attempts.add(1, ordering: .relaxed)
                    return false
                }
            }
        }
        try await eventually("it has tried in vain") { attempts.load(ordering: .relaxed) > 0 }
        let port = try #require(bootstrap.split(separator: ":").last.flatMap { Int($0) })
        let broker = try EmbeddedBroker(partitions: 4, port: port, logger: ServiceRig.quiet)
        #expect(try await cluster.value.inputPartitions == 4)
        broker.close()
    }

    /// A broker that is told another number than the one it would choose.
    @Test(arguments: [3, 7]) func aMissingInputHasTheBrokersPartitions(partitions: Int) throws {
        let broker = try EmbeddedBroker(partitions: partitions, port: 0, logger: ServiceRig.quiet)
        defer { broker.close() }
        let configuration = try ServiceRig.configuration(broker.bootstrap, "unused").configuration
        let cluster = try Cluster(configuration, health: ServiceRig.health, logger: ServiceRig.quiet) { false }
        #expect(cluster.inputPartitions == partitions)
        #expect(cluster.eventsPartitions == partitions)
    }

    @Test func waitingForABrokerCanBeCancelled() async throws {
        let configuration = try ServiceRig.configuration("127.0.0.1:1", "unused").configuration
        await #expect(throws: CancellationError.self) {
            try await onThread {
                try Cluster(configuration, health: ServiceRig.health, logger: ServiceRig.quiet) { true }
            }
        }
    }
}
