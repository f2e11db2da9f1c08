import ArgumentParser
import Testing

@testable import SluiceCommands

@Suite struct CommandLineEntryTests {
    private static let commands: [(type: any ParsableCommand.Type, name: String)] = [
        (Streams.self, "streams"), (StreamsList.self, "streams-list"), (StreamsShow.self, "streams-show"),
        (StreamsWatch.self, "streams-watch"), (StreamsReset.self, "streams-reset"), (Serve.self, "serve"),
        (Train.self, "train"), (Score.self, "score"), (Broker.self, "broker"), (Topics.self, "topics"),
        (TopicsCheck.self, "topics-check"), (TopicsCreate.self, "topics-create"), (Config.self, "config"),
        (ConfigInit.self, "config-init"), (ConfigCheck.self, "config-check"), (ConfigShow.self, "config-show"),
        (Tokens.self, "tokens"), (TokensAdd.self, "tokens-add"), (TokensList.self, "tokens-list"),
        (TokensRevoke.self, "tokens-revoke"), (Models.self, "models"), (ModelsList.self, "models-list"),
        (ModelsShow.self, "models-show"), (ModelsPromote.self, "models-promote"),
        (ModelsRollback.self, "models-rollback"), (DemoCommand.self, "demo"), (Bench.self, "bench"),
        (BenchStep.self, "bench-step"), (BenchTrain.self, "bench-train"),
        (BenchCodec.self, "bench-codec"), (BenchEngine.self, "bench-engine"), (BenchPipeline.self, "bench-pipeline"),
        (ExperimentCommand.self, "experiment"),
    ]

    @Test func helpIsAsRecorded() throws {
        try expectSnapshot(Sluice.helpMessage(columns: 80), "help")
        for command in Self.commands {
            let text = Sluice.helpMessage(for: command.type, columns: 80)
            #expect(text.contains("Examples:"))
            try expectSnapshot(text, "help-\(command.name)")
        }
    }

    @Test func helpIs0OnStdout() async {
        for arguments in [["--help"], ["streams", "--help"], ["streams", "reset", "-h"], []] {
            let result = await sluice(list: arguments)
            #expect(result.code == 0)
            #expect(result.out.contains("USAGE:"))
            #expect(result.error.isEmpty)
        }
        #expect(await sluice("--version").out == "0.1.0\n")
    }

    @Test(arguments: [
        ["nonsense"], ["streams", "nonsense"], ["streams", "list", "--limt", "3"],
        ["streams", "list", "--limit", "x"],
        ["streams", "list", "--limit", "0"], ["streams", "show"], ["streams", "reset"],
        ["streams", "reset", "a", "--all"], ["streams", "reset", "--prefix", ""],
        ["streams", "reset", "a", "--dry-run"],
        ["streams", "watch", "--interval", "0"], ["streams", "list", "--url", "nowhere"],
        ["streams", "list", "--token", "two words"], ["tokens", "add"], ["tokens", "add", "--role", "owner"],
        ["tokens", "revoke"], ["tokens", "list", "--file", "a", "--config", "b"],
    ])
    func wrongUsageIs2OnStderr(arguments: [String]) async {
        let result = await sluice(list: arguments)
        #expect(result.code == 2)
        #expect(result.error.hasPrefix("error: "))
        #expect(result.error.contains("sluice"))
        #expect(result.out.isEmpty)
    }

    /// Whatever else is missing or wrong.
    @Test(arguments: [
        (["train", "--dat", "x"], "--dat", "--data"),
        (["train", "--data", "x", "--epoch=3", "--tune", "0"], "--epoch", "--epochs"),
        (["streams", "list", "--limt", "3"], "--limt", "--limit"), (["score", "--modle", "m"], "--modle", "--model"),
    ])
    func anUnknownOptionIsNamedFirst(arguments: [String], option: String, meant: String) async {
        let result = await sluice(list: arguments)
        #expect(result.code == 2)
        #expect(result.error.hasPrefix("error: Unknown option '\(option)'. Did you mean '\(meant)'?\nUsage: sluice "))
        #expect(result.error.contains(arguments[0]))
    }

    @Test(arguments: [
        (["sevre"], "Unknown command 'sevre'. Did you mean 'serve'?"), (["nonsense"], "Unknown command 'nonsense'"),
        (["streams", "lsit"], "Unknown command 'lsit'. Did you mean 'list'?"),
    ])
    func anUnknownCommandIsNamedWithWhatIsMeant(arguments: [String], message: String) async {
        let result = await sluice(list: arguments)
        #expect(result.code == 2 && result.out.isEmpty)
        #expect(result.error.hasPrefix("error: \(message)\nUsage: sluice "))
    }

    @Test func onlyWhatIsUnknownIsCalledSo() async {
        #expect(UnknownName.message(in: ["train", "--xyzzyx"]) == "Unknown option '--xyzzyx'")
        for arguments in [
            ["train", "--data", "a"], ["train", "--set", "a=b", "-c", "x"], ["train", "--", "--dat"], ["--help"],
            ["streams", "list", "--json", "--limit=3"], ["--version"],
        ] { #expect(UnknownName.message(in: arguments) == nil, "\(arguments)") }
        #expect(await sluice("train", "--data=a", "--from-topic").error.hasPrefix("error: Give the data by"))
    }

    /// Found out only when the command runs, and yet with its own usage.
    @Test(arguments: [
        (["streams", "list", "--url", "nowhere"], [:], "sluice streams list"),
        (["topics", "check", "-c", "x", "--set", "a"], [:], "sluice topics check"),
        (["demo", "--log-level", "loud"], [:], "sluice demo"),
        (["demo", "--duration", "1"], ["SLUICE_LOG": "loud"], "sluice demo"),
    ])
    func usageIsThatOfTheCommand(arguments: [String], environment: [String: String], name: String) async {
        let result = await sluice(list: arguments, environment: environment)
        #expect(result.code == 2)
        #expect(result.error.contains("\nUsage: \(name) "))
        #expect(result.error.hasSuffix("\n  See '\(name) --help' for more information.\n"))
    }
}
