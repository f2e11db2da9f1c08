import Foundation
import SluiceCore
import Testing

@testable import SluiceKafka

@Suite struct KafkaConfigurationTests {
    func refusal(_ properties: [String: String]) -> SluiceError? {
        #expect(throws: SluiceError.self) {
            try KafkaConfiguration(["bootstrap.servers": "localhost:9092"].merging(properties) { $1 })
        }
    }

    @Test func unknownPropertyIsRefusedByNameWithTheNearest() throws {
        let error = try #require(refusal(["linger.mss": "3"]))
        #expect(error.code == .invalidConfiguration)
        #expect(error.message.contains("linger.mss"))
        #expect(error.message.hasSuffix("did you mean \"linger.ms\"?"))
        #expect(try #require(refusal(["entirely.unlike.anything": "3"])).message.contains("did you mean") == false)
    }

    @Test(arguments: [
        "isolation.level", "enable.auto.commit", "enable.auto.offset.store", "enable.idempotence", "transactional.id",
        "group.id", "group.instance.id",
    ])
    func ownedPropertyIsRefusedByName(_ name: String) throws {
        let error = try #require(refusal([name: "true"]))
        #expect(error.message.contains(name))
        #expect(error.message.contains("belongs to the engine"))
    }

    @Test func theDefaultsThatOperatorsReadAreTheDefaults() throws {
        let page = URL(filePath: #filePath).appending(path: "../../../Sources/sluice/Sluice.docc/Operating.md")
        let text = try String(contentsOf: page.standardizedFileURL, encoding: .utf8)
        let behind = try #require(text.components(separatedBy: "### The Kafka client").last)
        let section = try #require(behind.components(separatedBy: "\n## ").first)
        let rows = section.split(separator: "\n").filter { $0.hasPrefix("| `") }.map { row in
            row.split(separator: "`", omittingEmptySubsequences: false).map(String.init)
        }
        let roles: [HandleRole] = [.consumer, .reader, .query, .producer, .transactions, .admin]
        let defaults = Set(roles.flatMap { $0.defaults.map { "\($0.0)=\($0.1)" } })
        #expect(section.contains("`fetch.queue.backoff.ms` is `10` where"))
        #expect(Set(rows.map { "\($0[1])=\($0[3])" }) == defaults.subtracting(["fetch.queue.backoff.ms=10"]))
    }

    @Test func refusedValueIsNamedAndASecretIsNot() throws {
        #expect(try #require(refusal(["linger.ms": "soon"])).message.contains("linger.ms"))
        let error = try #require(refusal(["sasl.oauthbearer.method": "hunter2"]))
        #expect(!error.description.contains("hunter2"))
    }

    @Test func secretsAreNotPrinted() throws {
        let configuration = try KafkaConfiguration([
            "bootstrap.servers": "localhost:9092", "sasl.password": "hunter2", "sasl.username": "hunter3",
        ])
        var dumped = ""
        dump(configuration, to: &dumped)
        for text in ["\(configuration)", String(reflecting: configuration), dumped] {
            #expect(!text.contains("hunter"))
        }
        #expect("\(configuration)".contains("bootstrap.servers=localhost:9092"))
    }

    @Test func missingBootstrapIsRefused() {
        #expect(throws: SluiceError.self) { try KafkaConfiguration(["linger.ms": "1"]) }
    }

    @Test func everyDefaultIsAPropertyOfItsRole() throws {
        for role in [HandleRole.consumer, .reader, .query, .producer, .transactions, .admin] {
            for (name, _) in role.defaults + role.owned {
                #expect(
                    PropertyTable.shared.scopes[name] != nil && PropertyTable.shared.applies(name, to: role), "\(name)")
            }
        }
    }

    @Test(arguments: [
        ("earliest", KafkaConfiguration.OffsetReset.earliest), ("smallest", .earliest), ("beginning", .earliest),
        ("latest", .latest), ("largest", .latest), ("end", .latest), ("error", .error),
    ]) func theFirstOffsetIsSaidInLibrdkafkasWords(text: String, reset: KafkaConfiguration.OffsetReset) throws {
        let block = ["bootstrap.servers": "localhost:9092"]
        #expect(try KafkaConfiguration(block).offsetReset == .earliest)
        #expect(try KafkaConfiguration(block.merging(["auto.offset.reset": text]) { $1 }).offsetReset == reset)
        #expect(throws: SluiceError.self) {
            try KafkaConfiguration(block.merging(["auto.offset.reset": "none"]) { $1 })
        }
    }

    @Test func propertiesReachOnlyTheHandlesThatKnowThem() throws {
        let configuration = try KafkaConfiguration([
            "bootstrap.servers": "localhost:9092", "fetch.min.bytes": "7", "linger.ms": "9",
            "auto.offset.reset": "latest",
        ])
        #expect(try configuration.settings(.producer).value("linger.ms") == "9")
        #expect(try configuration.settings(.consumer).value("linger.ms") != "9")
        #expect(try configuration.settings(.consumer).value("fetch.min.bytes") == "7")
        #expect(try configuration.settings(.producer).value("fetch.min.bytes") != "7")
        #expect(try configuration.settings(.consumer).value("auto.offset.reset") == "error")
        let capture = LogCapture()
        let health = KafkaHealth(logger: capture.logger)
        let quiet = try KafkaConfiguration([
            "bootstrap.servers": "127.0.0.1:1", "fetch.min.bytes": "7", "linger.ms": "9",
        ])
        try KafkaProducer(quiet, topics: [:], health: health, logger: capture.logger).close()
        try KafkaConsumer(quiet, group: "g", topic: "t", health: health, logger: capture.logger).close()
        try KafkaReader(quiet, health: health, logger: capture.logger).close()
        #expect(capture.lines == [])
    }

    @Test func theTransactionTimeoutIsTenSecondsUnlessTheUserSaysOtherwise() throws {
        let plain = try KafkaConfiguration(["bootstrap.servers": "x:1"])
        #expect(try plain.settings(.transactions).value("transaction.timeout.ms") == "10000")
        let set = try KafkaConfiguration(["bootstrap.servers": "x:1", "transaction.timeout.ms": "7000"])
        #expect(try set.settings(.transactions).value("transaction.timeout.ms") == "7000")
        #expect(try set.settings(.transactions).value("linger.ms") == "1", "a producer's defaults")
    }

    @Test func recordsOfTenMegabytesNeedOneSettingOnly() throws {
        let large = ["bootstrap.servers": "x:1", "message.max.bytes": "12000000"]
        let configuration = try KafkaConfiguration(large)
        for role in [HandleRole.consumer, .reader, .producer] {
            let handle = try KafkaHandle(
                role, configuration, owned: role == .consumer ? ["group.id": "g"] : [:], health: Fixture.health,
                logger: Fixture.quiet)
            handle.close()
        }
    }

    /// With the output blocked these and one batch are what waits.
    @Test func whatWaitsInMemoryIsBoundedByDefault() throws {
        let plain = try KafkaConfiguration(["bootstrap.servers": "x:1"])
        #expect(try plain.settings(.producer).value("queue.buffering.max.kbytes") == "32768")
        #expect(try plain.settings(.producer).value("queue.buffering.max.messages") == "100000")
        for role in [HandleRole.consumer, .reader] {
            #expect(try plain.settings(role).value("queued.max.messages.kbytes") == "16384")
            #expect(try plain.settings(role).value("fetch.max.bytes") == "16777216", "by which it may be overshot")
        }
    }

    /// From produced to predicted on the embedded broker nothing waits but these: two producers and one fetch.
    @Test func theWaitsOnTheWayOfAnObservationAreFarBelowFiftyMilliseconds() throws {
        let embedded = try KafkaConfiguration(["bootstrap.servers": "x:1"]).adapted(toCluster: "mockCluster7f")
        func milliseconds(_ role: HandleRole, _ name: String) throws -> Double {
            try #require(try embedded.settings(role).value(name).flatMap { Double($0) })
        }
        let waits = try 2 * milliseconds(.producer, "linger.ms") + milliseconds(.consumer, "fetch.wait.max.ms")
        #expect(waits <= 25)
    }

    @Test func theEmbeddedBrokerGetsAShortFetchWaitUnlessTheUserSaysOtherwise() throws {
        let plain = try KafkaConfiguration(["bootstrap.servers": "x:1"])
        #expect(try plain.adapted(toCluster: "mockCluster7f").settings(.consumer).value("fetch.wait.max.ms") == "10")
        #expect(try plain.adapted(toCluster: "lkc-1").settings(.consumer).value("fetch.wait.max.ms") == "500")
        let set = try KafkaConfiguration(["bootstrap.servers": "x:1", "fetch.wait.max.ms": "33"])
        #expect(try set.adapted(toCluster: "mockCluster7f").settings(.consumer).value("fetch.wait.max.ms") == "33")
    }
}
