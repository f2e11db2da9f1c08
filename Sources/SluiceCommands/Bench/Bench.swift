internal import ArgumentParser

/// `sluice bench`.
struct Bench: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Measure this machine.",
        discussion: """
            One line a measurement, with --json one object a line. Runs are repeated; figures are the best and the \
            median.

            --plot FILE instead of a subcommand measures the engine over the number of streams, features, hidden \
            units, layers, workers and partitions, one at a time, and draws them on a page that needs nothing else. \
            It takes some minutes (--seconds 5 for each point) and 2 GB, for a million streams; on Ctrl-C the page \
            has what was measured until then.

            Examples:
              sluice bench step
              sluice bench train --threads 1
              sluice bench codec
              sluice bench engine --hidden 32 --json
              sluice bench --plot engine.html
            """,
        subcommands: [
            BenchStep.self, BenchTrain.self, BenchCodec.self, BenchEngine.self, BenchPipeline.self, BenchPlot.self,
        ],
        defaultSubcommand: BenchPlot.self)
}
