import SluiceConfiguration
import SluiceTraining
import Testing

@Suite struct LayerTests {
    @Test func flagsWinOverVariablesOverTheFile() throws {
        let text = minimal + "\nmodel:\n  hidden: 8\n  layers: 2\n  warmup: 5\n"
        let loaded = try Configuration.load(
            text: text, environment: ["SLUICE_MODEL__HIDDEN": "16", "SLUICE_MODEL__LAYERS": "3"],
            flags: [("model.hidden", "24"), ("model.hidden", "32")])
        let model = loaded.configuration.model
        #expect(model.hidden == 32 && model.layers == 3 && model.warmup == 5)
        let sources = Dictionary(uniqueKeysWithValues: loaded.settings.map { ($0.path, $0.provenance) })
        #expect(sources["model.hidden"] == .flag)
        #expect(sources["model.layers"] == .environment(variable: "SLUICE_MODEL__LAYERS"))
        #expect(sources["model.warmup"] == .file(name: "sluice.yaml", line: 8))
        #expect(sources["model.scaling"] == .default)
    }

    @Test func kafkaPropertiesMergeByKey() throws {
        let text = """
            application: a
            kafka:
              client.id: one
              bootstrap.servers: file:1
            input: {topic: i, features: {x: /x}}
            output: {topic: o}
            """
        let loaded = try Configuration.load(
            text: text,
            environment: ["SLUICE_KAFKA__BOOTSTRAP_SERVERS": "variable:2", "SLUICE_KAFKA__SASL_PASSWORD": "{x: [#1"],
            flags: [("kafka.linger.ms", "5"), ("kafka.client.id", "two")])
        #expect(
            loaded.configuration.kafka == [
                "client.id": "two", "bootstrap.servers": "variable:2", "sasl.password": "{x: [#1", "linger.ms": "5",
            ])
    }

    @Test func listsAndMappingsComeAsTextToo() throws {
        let loaded = try Configuration.load(
            text: minimal,
            environment: [
                "SLUICE_INPUT__FEATURES": "{z: /z, a: /a/b}", "SLUICE_MODEL__HORIZONS": "[2, 4]",
                "SLUICE_MODEL__TARGETS": "a", "SLUICE_BOUNDARIES__DAILY": "06:30 Asia/Tokyo",
            ],
            flags: [("train.carry", "per-batch x5, across-batches"), ("retrain.carry", "per-batch")])
        let configuration = loaded.configuration
        #expect(configuration.input.features.map(\.name) == ["z", "a"])
        #expect(configuration.input.features[1].pointer == "/a/b")
        #expect(configuration.model.horizons == [2, 4] && configuration.model.targets == ["a"])
        #expect(configuration.boundaries.daily?.minuteOfDay == 390)
        let epochs = [CarryPolicy](repeating: .perBatch, count: 5) + [.acrossBatches]
        #expect(configuration.train.carry.epochs == epochs)
        #expect(configuration.retrain.carry.epochs == [.perBatch])
    }

    @Test func aVariableReplacesAWrongValueOfTheFile() throws {
        let text = minimal + "\nworkers: many\n"
        #expect(throws: ConfigurationProblems.self) { try Configuration.load(text: text) }
        let loaded = try Configuration.load(text: text, environment: ["SLUICE_WORKERS": "4"])
        #expect(loaded.configuration.workers == 4)
    }

    @Test func variablesOfOthersArePassedOver() throws {
        _ = try Configuration.load(
            text: minimal,
            environment: [
                "PATH": "/bin", "SLUICE_URL": "x", "SLUICE_TOKEN": "x", "SLUICE_TEST_BOOTSTRAP": "x",
                "SLUICE_EXHAUSTIVE": "1",
                // What Kubernetes sets for a Service of that name.
                "SLUICE_SERVICE_HOST": "10.0.0.1", "SLUICE_SERVICE_PORT": "8080", "SLUICE_PORT": "tcp://10.0.0.1:8080",
                "SLUICE_PORT_8080_TCP_ADDR": "10.0.0.1",
            ])
        let problems = problems(minimal, environment: ["SLUICE_MODEL__HIDEN": "3", "SLUICE_WHAT": ""])
        #expect(
            problems == [
                "SLUICE_MODEL__HIDEN: no setting has this variable; did you mean \"SLUICE_MODEL__HIDDEN\"?",
                "SLUICE_WHAT: no setting has this variable",
            ])
    }

    @Test func wrongVariablesAndFlagsAreNamed() {
        let problems = problems(
            minimal, environment: ["SLUICE_WORKERS": "0", "SLUICE_MODEL__HORIZONS": "[1,"],
            flags: [("commit", "5"), ("train.epoch", "3")])
        #expect(problems.count == 4)
        #expect(problems.contains("SLUICE_WORKERS: workers: 0 is not between 1 and 1024"))
        #expect(problems.contains { $0.hasPrefix("SLUICE_MODEL__HORIZONS: model.horizons: not YAML: ") })
        #expect(problems.contains { $0.hasPrefix("flag: commit: \"5\" is not a duration") })
        #expect(
            problems.contains("flag: train.epoch: unknown setting; did you mean \"train.epochs\"?"), "\(problems)")
    }

    @Test func everythingMayComeFromTheEnvironment() throws {
        let loaded = try Configuration.load(
            path: nil,
            environment: [
                "SLUICE_APPLICATION": "a", "SLUICE_KAFKA__BOOTSTRAP_SERVERS": "h:1", "SLUICE_INPUT__TOPIC": "i",
                "SLUICE_INPUT__FEATURES": "{x: /x}", "SLUICE_OUTPUT__TOPIC": "o",
            ])
        #expect(loaded.configuration.output.rejects == "i.rejected")
        #expect(throws: ConfigurationProblems.self) { try Configuration.load(path: nil, environment: [:]) }
    }

    @Test func aMissingFileSaysHowToWriteOne() {
        #expect {
            try Configuration.load(path: "no/such/sluice.yaml", environment: [:])
        } throws: { error in
            "\(error)" == "no/such/sluice.yaml:1: there is no such file; \"sluice config init\" writes a first one"
        }
    }
}

/// The problems of a configuration as `config check` prints them.
func problems(
    _ text: String, environment: [String: String] = [:], flags: [(path: String, value: String)] = [],
    tokenCount: @escaping Configuration.TokenCount = { _ in 0 }
) -> [String] {
    do throws(ConfigurationProblems) {
        _ = try Configuration.load(
            text: text, environment: environment, flags: flags, tokenCount: tokenCount,
            properties: { name, value in name == "group.id" ? "is not yours, nor \(value)" : nil })
        return []
    } catch {
        return error.problems.map(\.description)
    }
}
