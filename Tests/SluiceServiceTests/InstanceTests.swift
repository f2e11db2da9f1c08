import Logging
import ServiceLifecycle
import SluiceAdmin
import SluiceAdminTestKit
import SluiceConfiguration
import SluiceCore
import SluiceKafka
import Testing

@testable import SluiceService

@Suite struct InstanceTests {
    @Test(arguments: [
        ("node-8080", 0, "127.0.0.1:8080", "node-8080-0_at_127.0.0.1_3a8080"),
        ("a-b-80", 12, "[::1]:80", "a-b-80-12_at__5b_3a_3a1_5d_3a80"),
        ("x_at_y-1", 3, "my_service_at_2.de:9", "x_at_y-1-3_at_my_5fservice_5fat_5f2.de_3a9"),
    ])
    func anIdentityIsItsText(instance: String, worker: Int, address: String, text: String) {
        let name = InstanceName(instance: instance, worker: worker, address: address)
        #expect(name.text == text && InstanceName(text) == name)
        #expect(
            text.utf8.allSatisfy {
                $0 == 0x2d || $0 == 0x2e || $0 == 0x5f || Character(.init($0)).isLetter
                    || Character(.init($0)).isNumber
            })
    }

    @Test(arguments: [
        "", "node-8080-0", "node-8080-x_at_a_3a1", "node_at_a", "n-1-0_at_", "n-1-0_at_a_3", "n-1-0_at_a_zz",
    ])
    func whatIsNoneIsNone(text: String) { #expect(InstanceName(text) == nil) }

    @Test func whereAnInstanceIsReachedFollowsFromWhereItListens() throws {
        func advertisement(_ admin: String) throws -> String {
            let yaml = """
                application: a
                kafka: {bootstrap.servers: "x:1"}
                input: {topic: i, features: {t: /t}}
                output: {topic: o}
                admin: {\(admin)}
                """
            return try Configuration.load(text: yaml, tokenCount: { _ in 1 }).configuration.admin.advertisement(
                machine: "node", port: 8_081)
        }
        #expect(try advertisement("") == "127.0.0.1:8081")
        #expect(try advertisement(#"listen: "10.0.0.7:0""#) == "10.0.0.7:8081")
        #expect(try advertisement(#"listen: "0.0.0.0:1""#) == "node:8081")
        #expect(try advertisement(#"listen: "[::]:1""#) == "node:8081")
        #expect(try advertisement(#"listen: "0.0.0.0:1", advertised: "[fe80::1]:90""#) == "[fe80::1]:90")
        #expect(throws: ConfigurationProblems.self) { try advertisement(#"advertised: "https://node:90""#) }
        #expect(throws: ConfigurationProblems.self) { try advertisement(#"advertised: "node:0""#) }
    }

    private static var logger: Logger {
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        return logger
    }

    private static let own = InstanceName(instance: "node-8080", worker: 0, address: "127.0.0.1:8080")

    private static func member(_ instance: String, _ address: String, _ partitions: [Int32] = []) -> GroupMember {
        GroupMember(
            instance: InstanceName(instance: instance, worker: 1, address: address).text, host: "/127.0.0.1",
            partitions: partitions)
    }

    private static func instances(_ members: [GroupMember]) -> GroupInstances {
        GroupInstances(own) { [member("node-8080", "127.0.0.1:1", [0])] + members }
    }

    /// Serves a backend while `body` runs, which gets its port.
    private func serving(_ backend: FakeBackend, _ body: (Int) async throws -> Void) async throws {
        let server = AdminServer(
            host: "127.0.0.1", port: 0, backend: backend, metrics: PrometheusRegistry(), logger: Self.logger)
        let group = ServiceGroup(services: [server], logger: Self.logger)
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await group.run() }
            try await body(try await server.listeningPort)
            await group.triggerGracefulShutdown()
            try await tasks.next()
        }
    }

    @Test(.timeLimit(.minutes(2))) func theOneThatHasAStreamIsFoundAndAnswers() async throws {
        try await serving(FakeBackend(keys: ["x"])) { first in
            let backend = FakeBackend(keys: ["a", "b", "a/b ?"])
            try await serving(backend) { second in
                let instances = Self.instances([
                    Self.member("node-1", "127.0.0.1:\(first)", [1]), Self.member("node-2", "127.0.0.1:\(second)", [2]),
                ])
                let target = "/v1/streams/a%2Fb%20%3F"
                let home = try #require(try await instances.holder(of: target, authorization: nil))
                #expect(home.instance.name == "node-2" && home.partition == 2)
                let answer = try await instances.answer(
                    ForwardedRequest(method: "POST", target: target + "/reset", authorization: nil), from: home.instance
                )
                #expect(answer.status == 200 && answer.contentType == "application/json")
                #expect(backend.resets == ["stream a/b ? by 127.0.0.1"])
                #expect(try await instances.holder(of: "/v1/streams/none", authorization: nil) == nil)
                #expect(try await instances.owner(of: 1)?.name == "node-1")
                for partition in [0, 7] as [Int32] { #expect(try await instances.owner(of: partition) == nil) }
            }
        }
    }

    private func reason(_ members: [GroupMember]) async -> String {
        let problem = await #expect(throws: Problem.self) {
            _ = try await Self.instances(members).holder(of: "/v1/streams/a", authorization: nil)
        }
        #expect(problem?.status == 503 && problem?.code == "instance-away")
        return problem?.detail ?? ""
    }

    @Test(.timeLimit(.minutes(2))) func whoMayHaveItAndDoesNotAnswerIsNamed() async throws {
        // Port 1: nobody listens there.
        let silent = await reason([Self.member("node-2", "127.0.0.1:1")])
        #expect(silent.contains("the instance node-2") && silent.contains("admin.advertised"))
        let elsewhere = await reason([Self.member("far-2", "127.0.0.1:1")])
        #expect(elsewhere.contains("the instance far-2") && elsewhere.contains("its own machine only"))
        let foreign = await reason([GroupMember(instance: nil, host: "/10.0.0.9", partitions: [])])
        #expect(foreign.contains("/10.0.0.9"))
        let restoring = FakeBackend()
        restoring.change { $0.failure = SluiceError(.broker, "the service waits for the broker", retry: .later) }
        try await serving(restoring) { port in
            let waiting = await reason([Self.member("node-2", "127.0.0.1:\(port)")])
            #expect(waiting.contains("the service waits for the broker"))
        }
    }
}
