internal import ArgumentParser

/// `sluice bench`.
struct Bench: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Measure this machine.",
        discussion: """
            One line a measurement, with --json one object a line. Runs are repeated; figures are the best and the \
            median.

            Examples:
              sluice bench step
              sluice bench train --threads 1
              sluice bench engine --hidden 32 --json
            """,
        subcommands: [BenchStep.self, BenchTrain.self, BenchEngine.self, BenchPipeline.self])
}
