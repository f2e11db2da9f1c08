import Foundation
import SluiceConfiguration
import Testing

@Suite struct PrintedTextTests {
    private func loaded() throws -> LoadedConfiguration {
        let text = """
            application: pumps
            kafka:
              bootstrap.servers: localhost:9092
              sasl.password: hunter2
              ssl.key.password: hunter3
              sasl.oauthbearer.client.secret: hunter4
              sasl.oauthbearer.token.endpoint.url: https://example.test/token
            input:
              topic: "1234"
              features:
                "flow: in": /values/flow
                load: "/values/load #2"
            output:
              topic: predictions
            boundaries:
              daily: 06:30 Europe/Paris
            train:
              carry: [per-batch ×5, across-batches]
            """
        return try Configuration.load(
            text: text, environment: ["SLUICE_MODEL__HIDDEN": "32", "SLUICE_MODEL__TARGETS": "load"],
            flags: [("commit", "60000ms")])
    }

    @Test func example() throws { try assertSnapshot("init.yaml", ConfigurationText.example) }

    @Test func shownAsYAML() throws { try assertSnapshot("show.yaml", loaded().yaml) }

    @Test func shownAsJSON() throws {
        let json = try loaded().json
        _ = try JSONSerialization.jsonObject(with: Data(json.utf8))
        try assertSnapshot("show.json", json + "\n")
    }

    @Test func check() throws {
        let text = minimal + "\nmodle:\n  hidden: 3\nmodel:\n  head: quantil\n  horizons: [1, 1]\ncommit: 5\n"
        let found = problems(text, environment: ["SLUICE_WORKER": "1"], flags: [("train.epochs", "0")])
        try assertSnapshot("check.txt", found.joined(separator: "\n") + "\n")
    }

    @Test func whatIsShownLoadsAsTheSame() throws {
        let loaded = try loaded()
        let again = try Configuration.load(text: loaded.yaml)
        #expect(again.settings.map(\.path) == loaded.settings.map(\.path))
        #expect(again.settings.map(\.value) == loaded.settings.map(\.value))
    }

    @Test(arguments: [0x07, 0x7F, 0x85, 0x9F, 0xA0, 0x2028, 0x2029, 0xFEFF, 0xFFFE, 0xFFFF, 0x1F600].map(UInt32.init))
    func everyCharacterIsShownSoThatItLoads(scalar: UInt32) throws {
        let value = try "a\(Character(#require(Unicode.Scalar(scalar))))b"
        let loaded = try Configuration.load(text: minimal, flags: [("kafka.client.rack", value)])
        let again = try Configuration.load(text: loaded.yaml)
        #expect(again.configuration.kafka["client.rack"] == value)
        #expect(again.configuration == loaded.configuration)
    }

    /// YAML readers take no more than 1,024 bytes for a key without a mark; found by fuzzing.
    @Test func longKeysLoadAgain() throws {
        let (long, feature) = ("client." + String(repeating: "x\n", count: 600), String(repeating: "f", count: 1_100))
        let loaded = try Configuration.load(
            text: minimal, flags: [("kafka.\(long)", "1"), ("input.features", "{? \(feature) : /f}")])
        let again = try Configuration.load(text: loaded.yaml)
        #expect(again.configuration.kafka[long] == "1")
        #expect(again.configuration.input.features.map(\.name) == [feature])
    }

    @Test func secretsAreNowhere() throws {
        let loaded = try loaded()
        #expect(!loaded.yaml.contains("hunter") && !loaded.json.contains("hunter"))
        #expect(loaded.configuration.kafka["sasl.password"] == "hunter2")
        #expect(loaded.yaml.contains("https://example.test/token"))
    }
}
