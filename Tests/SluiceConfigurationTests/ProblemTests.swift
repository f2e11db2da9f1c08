import SluiceConfiguration
import Testing

@Suite struct ProblemTests {
    /// `settings` under one section of an otherwise right configuration, and the one problem they have.
    struct Case: CustomTestStringConvertible, Sendable {
        let text: String
        let problem: String
        var testDescription: String { text }

        init(_ text: String, _ problem: String) {
            self.text = text
            self.problem = problem
        }
    }

    static let cases: [Case] = [
        Case("modle: {}", #"modle: unknown key; did you mean "model"?"#),
        Case("hidden: 3", #"hidden: unknown key; did you mean "model.hidden"?"#),
        Case("model: {hiden: 3}", #"model.hiden: unknown key; did you mean "hidden"?"#),
        Case("model: {initial-state: zero}", #"model.initial-state: unknown key; did you mean "initial_state"?"#),
        Case("model: {carry: per-batch}", #"model.carry: unknown key; did you mean "retrain.carry"?"#),
        Case("qqq: 1", "qqq: unknown key"),
        Case("model: 5", #"model: expected settings under it, not "5""#),
        Case("workers: [1]", "workers: expected a whole number, not a list"),
        Case("workers: two", #"workers: "two" is not a whole number"#),
        Case("workers: 0", "workers: 0 is not between 1 and 1024"),
        Case("model: {hidden: 5000}", "model.hidden: 5000 is not between 1 and 4096"),
        Case("model: {layers: 5}", "model.layers: 5 is not between 1 and 4"),
        Case(
            "model: {head: quantil}",
            #"model.head: "quantil" is not one of point, gaussian, quantile, binary, categorical"#
                + #"; did you mean "quantile"?"#),
        Case(
            "train: {order: strided, carry: per-batch}",
            "train.order: strided is an order of rows of across-batches: no epoch of train.carry has it"),
        Case("train: {momentum: 0.5}", "train.momentum: is of sgd: train.optimizer adam has none"),
        Case("model: {targets: []}", "model.targets: is empty: a quantile head forecasts one feature at least"),
        Case(
            "model: {targets: [temprature]}",
            #"model.targets: "temprature" is not among input.features; did you mean "temperature"?"#),
        Case("model: {targets: [load, load]}", "model.targets: lists a feature twice"),
        Case("model: {horizons: 3}", #"model.horizons: expected a list, not "3""#),
        Case("model: {horizons: [6, 1]}", "model.horizons: must be in ascending order, each once, such as [1, 6, 12]"),
        Case("model: {horizons: []}", "model.horizons: must be in ascending order, each once, such as [1, 6, 12]"),
        Case("model: {horizons: [0, 1]}", "model.horizons: 0 is not between 1 and 65536"),
        Case("model: {quantiles: [0.5, 1]}", "model.quantiles: 1 is not between 0 and 1, both excluded"),
        Case(
            "model: {quantiles: [0.5, 0.1]}",
            "model.quantiles: must be in ascending order, each once, such as [0.1, 0.5, 0.9]"),
        Case("model: {quantiles: [0.1, 0.9]}", "model.quantiles: lacks 0.5, the median, which is the forecast's value"),
        Case("model: {quantiles: [nan]}", #"model.quantiles: "nan" is not a number"#),
        Case("model: {head: categorical, classes: 1}", "model.classes: 1 is not between 2 and 65536"),
        Case(
            "commit: 100",
            #"commit: "100" is not a duration such as 500ms, 10s, 1m, 6h or 30d; did you mean "100s"?"#),
        Case("commit: 1.5h", #"commit: "1.5h" is not a duration such as 500ms, 10s, 1m, 6h or 30d"#),
        Case("commit: 0s", #"commit: "0s" must be longer than zero"#),
        Case("commit: 99999999999999999999d", #"commit: "99999999999999999999d" is longer than 36500d"#),
        Case("boundaries: {gap: -1h}", #"boundaries.gap: "-1h" is not a duration such as 500ms, 10s, 1m, 6h or 30d"#),
        Case("boundaries: {every: 0}", "boundaries.every: 0 is not between 1 and 2147483647"),
        Case("boundaries: {sequence_change: yes}", #"boundaries.sequence_change: "yes" is neither true nor false"#),
        Case(
            "boundaries: {daily: 24:00 Europe/Paris}",
            #"boundaries.daily: "24:00 Europe/Paris" is not a time and a zone such as "00:00 Europe/Paris""#),
        Case(
            "boundaries: {daily: 00:00 Europe/Pari}",
            #"boundaries.daily: there is no time zone "Europe/Pari"; did you mean "Europe/Paris"?"#),
        Case("train: {carry: stateful}", carryChoices),
        Case(
            "train: {carry: [per-batch ×0]}",
            #"train.carry: "per-batch ×0" is not a policy and a number of epochs such as "per-batch ×5""#),
        Case("train: {learning_rate: 0}", "train.learning_rate: 0 is not above 0"),
        Case("train: {validation: 0.6, test: 0.5}", "train.test: with train.validation leaves nothing to train on"),
        Case("train: {momentum: 1}", "train.momentum: 1 is not at least 0 and below 1"),
        Case("train: {weight_decay: 2}", "train.weight_decay: 2 is not between 0 and 1"),
        Case("train: {schedule_factor: 1}", "train.schedule_factor: 1 is not between 0 and 1, both excluded"),
        Case("train: {dropout: 1}", "train.dropout: 1 is not at least 0 and below 1"),
        Case(
            "model: {initial_state_range: [1, 0]}",
            "model.initial_state_range: must be a low and a high end, such as [0, 1]"),
        Case("model: {initial_state_deviation: 0}", "model.initial_state_deviation: 0 is not above 0, at most 100"),
        Case(
            "model: {initial_state_noise: true}",
            "model.initial_state_noise: has nothing to draw with initial_state zero; "
                + "choose normal, uniform or learned+noise"),
        Case(
            "retrain: {on_drift: true}",
            "retrain.on_drift: is not available yet; retrain.every trains on schedule"),
        Case("admin: {listen: 8080}", #"admin.listen: "8080" is not host:port such as 127.0.0.1:8080 or [::1]:8080"#),
        Case("admin: {listen: '127.0.0.1:70000'}", addressUnreadable),
    ]

    static let carryChoices =
        #"train.carry: "stateful" is not one of per-batch, across-batches, across-sequences"#
    static let addressUnreadable =
        #"admin.listen: "127.0.0.1:70000" is not host:port such as 127.0.0.1:8080 or [::1]:8080"#

    @Test(arguments: cases) func oneMistakeIsOneProblemOnItsLine(_ one: Case) {
        #expect(problems(minimal + "\n" + one.text) == ["sluice.yaml:5: " + one.problem])
    }

    @Test func problemsAreReportedTogetherInTheOrderOfTheFile() {
        let text = """
            application: my pumps
            kafka:
              group.id: x
            input:
              topic: t
              features:
                a: a
                b: /b~2
            output:
              topic: t
              rejects: ".."
            model:
              targets:
                - a
              horizons:
                - 1
                - x
            """
        #expect(
            problems(text) == [
                #"sluice.yaml:1: application: "my pumps" is not a legal topic name: "#
                    + #"letters, digits, ".", "_" and "-" only"#,
                "sluice.yaml:2: kafka.bootstrap.servers: is missing",
                "sluice.yaml:3: kafka.group.id: is not yours, nor x",
                #"sluice.yaml:7: input.features: a: "a" is not a JSON pointer; did you mean "/a"?"#,
                #"sluice.yaml:8: input.features: b: "/b~2" is not a JSON pointer: "#
                    + #"after "~" comes 0 (for "~") or 1 (for "/")"#,
                #"sluice.yaml:10: output.topic: "t" is input.topic already"#,
                #"sluice.yaml:11: output.rejects: ".." is not a legal topic name: "#
                    + #"letters, digits, ".", "_" and "-" only"#,
                #"sluice.yaml:17: model.horizons: "x" is not a whole number"#,
            ])
    }

    @Test func allRequiredSettingsAreAskedForAtOnce() {
        #expect(
            problems("input:\n  format: json\n") == [
                "sluice.yaml:1: application: is missing", "sluice.yaml:1: input.topic: is missing",
                "sluice.yaml:1: input.features: is missing", "sluice.yaml:1: output.topic: is missing",
                "sluice.yaml:1: kafka.bootstrap.servers: is missing",
            ])
        #expect(problems("").count == 5)
    }

    @Test func duplicateKeysAreRefusedOnTheSecondLine() {
        #expect(
            problems(minimal + "\nmodel:\n  layers: 1\n  hidden: 1\n  layers: 2\n") == [
                #"sluice.yaml:8: duplicate key "layers", first on line 6"#
            ])
        #expect(problems("a: {b: 1, b: 2}") == [#"sluice.yaml:1: duplicate key "b""#])
    }

    @Test func badSyntaxNamesItsLine() {
        let found = problems("application: pumps\nkafka: [1\ninput: x\n")
        #expect(found.count == 1 && found[0].hasPrefix("sluice.yaml:3: not YAML: "), "\(found)")
        #expect(problems("pumps") == ["sluice.yaml:1: expected settings such as application: pumps, not \"pumps\""])
        #expect(problems("a: &x 1\nb: *y").count == 1)
    }
}
