internal import ArgumentParser
internal import SluiceCore

/// The root of the command line.
struct Sluice: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sluice",
        abstract: "Streaming LSTM inference: one carried state per stream, from Kafka to Kafka.",
        discussion: """
            Try it with nothing else installed:

              sluice demo

            Every command explains itself with --help. Exit codes: 0 done, 1 failed, 2 wrong usage. Logs go to \
            stderr; SLUICE_LOG sets their level.
            """,
        version: Version.text,
        subcommands: [
            DemoCommand.self, Serve.self, Train.self, Score.self, Streams.self, Models.self, Topics.self, Config.self,
            Tokens.self, ExperimentCommand.self, Bench.self, Broker.self,
        ])

    static var _errorPrefix: String { "error: " }
}
