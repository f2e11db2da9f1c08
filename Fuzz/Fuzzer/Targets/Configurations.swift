import Foundation
import SluiceConfiguration
import SluiceCore
import SluiceSchema

@testable import SluiceService

/// A `sluice.yaml`; as further parts `NAME=value`, a variable where the name begins with SLUICE_, else a flag.
struct Configurations: FuzzTarget {
    static func seeds() -> [Seed] {
        let minimal = """
            application: a
            kafka: {bootstrap.servers: "x:1", sasl.password: hunter2}
            input: {topic: t, features: {"f: 1": /f, g: "/a~1b/0 #"}}
            output: {topic: o}
            """
        let csv = """
            application: "1234"
            kafka:
              bootstrap.servers: &s 'x:1'
            input:
              topic: t
              format: csv
              columns: [time, f, "g\\u00e9"]
              features:
                f: /f
                "g\\u00e9": /g
              late: drop
            output: {topic: o, rejects: r}
            boundaries: {gap: 500ms, every: 288, daily: 06:30 Europe/Paris, sequence_change: true}
            model: {head: categorical, classes: 4, initial_state: learned+noise}
            train: {carry: [per-batch ×5, across-batches], learning_rate: 1e-3}
            retrain: {every: never}
            admin: {listen: "[::1]:0"}
            """
        let layers = ["SLUICE_MODEL__HIDDEN=32", "model.targets=g", "kafka.client.id=c", "SLUICE_KAFKA__ACKS=all"]
        return [
            Seed("seed-example", ConfigurationText.example), Seed("seed-minimal", minimal), Seed("seed-csv", csv),
            Seed("seed-layers", ([minimal] + layers).map { Array($0.utf8) }.joined(separator: [0xFF])),
            Seed("seed-wrong", "modle:\n  hidden: 3\nmodel: [1, {a: *b}]\nworkers: 0\ncommit: 5\na: 1\na: 2\n"),
        ]
    }

    func run(_ bytes: UnsafeRawBufferPointer) throws {
        let texts = bytes.parts.map { String(decoding: $0, as: UTF8.self) }
        var environment: [String: String] = [:]
        var flags: [(path: String, value: String)] = []
        for text in texts.dropFirst() {
            let halves = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            guard halves.count == 2 else { continue }
            if halves[0].hasPrefix("SLUICE_") {
                environment[halves[0]] = halves[1]
            } else {
                flags.append((halves[0], halves[1]))
            }
        }
        do throws(ConfigurationProblems) {
            let loaded = try Configuration.load(text: texts[0], environment: environment, flags: flags)
            try hold(loaded)
        } catch {
            check(!error.problems.isEmpty, "a refusal names its problems")
            check(error.problems.allSatisfy { !$0.message.isEmpty }, "a problem says what it is")
        }
    }

    private func hold(_ loaded: LoadedConfiguration) throws(ConfigurationProblems) {
        let again: LoadedConfiguration
        do throws(ConfigurationProblems) {
            again = try Configuration.load(text: loaded.yamlWithSecrets)
        } catch {
            fail("what is shown loads again: \(error)\n\(loaded.yamlWithSecrets)")
        }
        check(
            again.configuration == loaded.configuration, "what is shown loads as the same:\n\(loaded.yamlWithSecrets)")
        check(again.settings.map(\.value) == loaded.settings.map(\.value), "what is shown is shown again")
        let isJSON = (try? JSONSerialization.jsonObject(with: Data(loaded.json.utf8))) != nil
        check(isJSON, "what is shown as JSON is JSON")
        canServe(loaded.configuration)
    }

    /// What the configuration accepts, the decoder accepts.
    private func canServe(_ configuration: Configuration) {
        do {
            let names = configuration.input.features.map(\.name)
            _ = try ObservationDecoder(try configuration.inputSpecification(.record, for: names))
        } catch {
            fail("a configuration that is accepted can be served: \(error)")
        }
    }
}
