internal import ArgumentParser
internal import Foundation
internal import SluiceAdmin
internal import SluiceCore
internal import SluiceService

/// `sluice bench step`.
struct BenchStep: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "step",
        abstract: "The LSTM step alone, by shape and batch.",
        discussion: """
            One layer on one thread; microseconds of one call for the whole batch.

            Examples:
              sluice bench step
              sluice bench step --inputs 8 --hidden 64 --batch 256 --json
            """)

    @Option(help: "Only this number of inputs.")
    var inputs: Int?

    @Option(help: "Only this hidden size.")
    var hidden: Int?

    @Option(help: "Only this batch.")
    var batch: Int?

    @Flag(help: "JSON lines.")
    var json = false

    func validate() throws {
        for (name, value, limit) in [
            ("--inputs", inputs, Limits.inputs), ("--hidden", hidden, Limits.hidden), ("--batch", batch, 65_536),
        ] {
            if let value, !(1...limit).contains(value) { throw ValidationError("\(name) must be from 1 to \(limit).") }
        }
    }

    func run() async throws {
        let console = Console.current
        let shapes = shapes
        if !json { console.line(" inputs  hidden   batch   best µs  median µs  GFLOP/s") }
        try await Signals.onThread { interruption in
            for shape in shapes where !interruption.isRequested {
                let result = StepBench.run(shape, clock: SystemClock())
                console.line(json ? JSONWriter.text(of: result) : Self.line(result))
            }
        }
    }

    /// Shapes not among the usual ones are measured where inputs, hidden size and batch are all given.
    private var shapes: [StepBench.Shape] {
        if let inputs, let hidden, let batch {
            return [StepBench.Shape(inputs: inputs, hidden: hidden, batch: batch)]
        }
        return StepBench.shapes.filter {
            (inputs ?? $0.inputs) == $0.inputs && (hidden ?? $0.hidden) == $0.hidden && (batch ?? $0.batch) == $0.batch
        }
    }

    private static func line(_ result: StepBench.Result) -> String {
        String(
            format: "%7d %7d %7d %9.2f %10.2f %8.1f", result.inputs, result.hidden, result.batch, result.microseconds,
            result.median, result.gflops)
    }
}

extension StepBench.Result: JSONWritable {
    func write(to json: inout JSONWriter) {
        json.object {
            $0.member("bench", bench)
            $0.member("inputs", inputs)
            $0.member("hidden", hidden)
            $0.member("batch", batch)
            $0.member("threads", threads)
            $0.member("microseconds", microseconds)
            $0.member("median", median)
            $0.member("gflops", gflops)
        }
    }
}
