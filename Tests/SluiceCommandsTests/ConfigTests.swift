import Foundation
import SluiceConfiguration
import Testing

@testable import SluiceCommands

@Suite struct ConfigTests {
    @Test func initWritesWhatCheckAccepts() async throws {
        try await withFolder { folder in
            let file = folder.file("new.yaml")
            #expect(await sluice("config", "init", "--output", file).code == 0)
            let written = try folder.read("new.yaml")
            #expect(written == ConfigurationText.example)
            let check = await sluice("config", "check", "-c", file)
            #expect(check.code == 0 && check.out.hasPrefix("\(file) is right: "))
            let again = await sluice("config", "init", "--output", file)
            #expect(again.code == 1 && again.error.contains("--force"))
            #expect(await sluice("config", "init", "--output", file, "--force").code == 0)
            #expect(await sluice("config", "init", "-o", "-").out == ConfigurationText.example)
        }
    }

    @Test func checkNamesEveryLine() async throws {
        try await withFolder { folder in
            let file = try folder.write("application: pumps\nmodel:\n  hiden: 3\n  layers: 9\n", "bad.yaml")
            let result = await sluice("config", "check", "-c", file)
            #expect(result.code == 1 && result.out.isEmpty)
            #expect(result.error.contains("\(file):3: model.hiden: unknown key; did you mean \"hidden\"?"))
            #expect(result.error.contains("\(file):4: model.layers: 9 is not between 1 and 4"))
            let missing = await sluice("config", "check", "-c", folder.file("none.yaml"))
            #expect(missing.code == 1 && missing.error.contains("sluice config init"))
        }
    }

    @Test func checkNamesTheLineOfAKafkaProperty() async throws {
        try await withFolder { folder in
            let text = """
                application: pumps
                kafka:
                  bootstrap.servers: localhost:9092
                  group.id: mine
                  linger.mss: 3
                  fetch.min.bytes: soon
                input: {topic: in, features: {x: /x}}
                output: {topic: out}
                """
            let file = try folder.write(text, "bad.yaml")
            let result = await sluice(
                "config", "check", "-c", file, environment: ["SLUICE_KAFKA__ENABLE_AUTO_COMMIT": "true"])
            #expect(result.code == 1 && result.out.isEmpty)
            #expect(
                result.error.lines.dropFirst() == [
                    "\(file):4: kafka.group.id: belongs to the engine: it is `application:`; remove it",
                    "\(file):5: kafka.linger.mss: is no property of librdkafka; did you mean \"linger.ms\"?",
                    "\(file):6: kafka.fetch.min.bytes: Invalid value for configuration property \"fetch.min.bytes\"",
                    "SLUICE_KAFKA__ENABLE_AUTO_COMMIT: kafka.enable.auto.commit: belongs to the engine: offsets are"
                        + " committed only together with the state they belong to; remove it",
                ])
        }
    }

    /// What is wrong in a setting is wrong configuration wherever it stands; only a flag that is none is wrong usage.
    @Test func setFailsAsTheFileDoes() async throws {
        try await withFolder { folder in
            let file = try folder.write(ConfigurationText.example, "a.yaml")
            func check(_ setting: String) async -> CommandResult {
                await sluice("config", "check", "-c", file, "--set", setting)
            }
            let bad = await check("model.hidden=abc")
            #expect(bad.code == 1)
            #expect(
                bad.error == "error: the configuration has one problem:\nflag: model.hidden: \"abc\" is not a whole"
                    + " number\n")
            let unknown = await check("model.hiden=3")
            #expect(unknown.code == 1 && unknown.error.contains("did you mean \"model.hidden\"?"))
            let malformed = await check("model.hidden")
            #expect(malformed.code == 2 && malformed.error.contains("Usage: sluice config check"))
        }
    }

    @Test func showSaysWhereValuesCameFrom() async throws {
        try await withFolder { folder in
            let file = try folder.write(ConfigurationText.example, "a.yaml")
            let shown = await sluice(
                "config", "show", "-c", file, "--set", "model.hidden=32",
                environment: ["SLUICE_WORKERS": "5", "SLUICE_LOG": "debug"])
            #expect(shown.code == 0)
            #expect(shown.out.contains(/hidden: 32 +# flag/) && shown.out.contains(/workers: 5 +# SLUICE_WORKERS/))
            let json = await sluice("config", "show", "-c", file, "--json")
            let object = try JSONSerialization.jsonObject(with: Data(json.out.utf8)) as? [String: Any]
            #expect(object?["configuration"] is [String: Any] && object?["sources"] is [String: String])
        }
    }
}
