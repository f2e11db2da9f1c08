internal import ArgumentParser
internal import Foundation
internal import SluiceAdmin
internal import SluiceCore
internal import SluiceService

/// `sluice bench train`.
struct BenchTrain: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "train",
        abstract: "One update of training, by shape and number of threads.",
        discussion: """
            Forward, mean squared error at every step, backward, clipping, Adam; microseconds of one update of a whole \
            batch. What an update writes is spoiled before some, and checked, beside the time taken.

            Without options the usual shapes are measured, which the peers are measured at; with inputs, hidden, \
            layers, batch and steps the shape that they make.

            Examples:
              sluice bench train
              sluice bench train --threads 1 --hidden 64 --json
              sluice bench train --inputs 8 --hidden 32 --layers 2 --batch 16 --steps 50
            """)

    @Option(help: "Only this number of inputs, features elsewhere.")
    var inputs: Int?

    @Option(help: "Only this hidden size.")
    var hidden: Int?

    @Option(help: "Only this number of layers.")
    var layers: Int?

    @Option(help: "Only this number of rows.")
    var batch: Int?

    @Option(help: "Only this number of steps.")
    var steps: Int?

    @Option(help: "Only this number of threads; else 1 and 2.")
    var threads: Int?

    @OptionGroup var output: BenchOutput

    func validate() throws {
        try BenchShape.check(given: [
            ("--inputs", inputs, Limits.inputs), ("--hidden", hidden, Limits.hidden),
            ("--layers", layers, Limits.layers), ("--batch", batch, 4_096), ("--steps", steps, 4_096),
            ("--threads", threads, 1_024),
        ])
        guard !shapes.isEmpty else {
            throw BenchShape.noShape("--inputs, --hidden, --layers, --batch and --steps")
        }
        try BenchShape.check(bytes: shapes.map(\.bytes).max() ?? 0, "An update of this size")
    }

    func run() async throws {
        let console = Console.current
        let (shapes, isJSON) = (shapes, output.json)
        if !isJSON { console.line(" inputs  hidden  layers   batch   steps threads    best µs  median µs") }
        try await Signals.onThread { interruption in
            let bar = ProgressBar(console: console)
            let all = (threads.map { [$0] } ?? [1, 2]).flatMap { threads in shapes.map { ($0, threads) } }
            for (index, (shape, threads)) in all.enumerated() {
                try interruption.check()
                bar.show(Double(index) / Double(all.count)) { "\(index) of \(all.count) shapes" }
                defer { bar.clear() }
                let result = try TrainBench.run(shape, threads: threads, clock: SystemClock()) {
                    interruption.isRequested
                }
                console.line(isJSON ? JSONWriter.text(of: result) : Self.line(result))
            }
        }
    }

    /// The shape that is given, or those of the usual ones that have what is given.
    private var shapes: [TrainBench.Shape] {
        if let inputs, let hidden, let layers, let batch, let steps {
            return [TrainBench.Shape(inputs: inputs, hidden: hidden, layers: layers, batch: batch, steps: steps)]
        }
        return TrainBench.shapes.filter {
            (inputs ?? $0.inputs) == $0.inputs && (hidden ?? $0.hidden) == $0.hidden
                && (layers ?? $0.layers) == $0.layers && (batch ?? $0.batch) == $0.batch
                && (steps ?? $0.steps) == $0.steps
        }
    }

    private static func line(_ result: TrainBench.Result) -> String {
        let shape = result.shape
        return String(
            format: "%7d %7d %7d %7d %7d %7d %10.1f %10.1f", shape.inputs, shape.hidden, shape.layers, shape.batch,
            shape.steps, result.threads, result.microseconds, result.median)
    }
}

extension TrainBench.Result: JSONWritable {
    func write(to json: inout JSONWriter) {
        json.object {
            $0.member("bench", "train")
            $0.member("inputs", shape.inputs)
            $0.member("hidden", shape.hidden)
            $0.member("layers", shape.layers)
            $0.member("batch", shape.batch)
            $0.member("steps", shape.steps)
            $0.member("threads", threads)
            $0.member("microseconds", microseconds)
            $0.member("median", median)
            $0.member("repetitions", repetitions)
        }
    }
}
