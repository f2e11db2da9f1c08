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
            One call for the whole batch on one thread, in microseconds. GFLOP/s are of the gates' products, to which \
            activations and head add time and no operations; the share is that of the peak: of what fused \
            multiply-adds on registers alone come to on the same core, just before and after. Some rows of each \
            repetition are compared with the reference, bit by bit, beside the time taken.

            Without options the usual shapes are measured, which the peers are measured at; with inputs, hidden and \
            batch the shape that they make.

            Examples:
              sluice bench step
              sluice bench step --inputs 8 --hidden 64 --batch 256 --json
              sluice bench step --hidden 128 --layers 2
            """)

    @Option(help: "Only this number of inputs, features elsewhere.")
    var inputs: Int?

    @Option(help: "Only this hidden size.")
    var hidden: Int?

    @Option(help: "Layers, done in one call.")
    var layers = 1

    @Option(help: "Only this batch.")
    var batch: Int?

    @OptionGroup var output: BenchOutput

    func validate() throws {
        try BenchShape.check([("--layers", layers, Limits.layers)])
        try BenchShape.check(given: [
            ("--inputs", inputs, Limits.inputs), ("--hidden", hidden, Limits.hidden), ("--batch", batch, 65_536),
        ])
        guard !shapes.isEmpty else { throw BenchShape.noShape("--inputs, --hidden and --batch") }
        try BenchShape.check(bytes: shapes.map(\.bytes).max() ?? 0, "A step of this size")
        guard shapes.allSatisfy({ $0.operations <= Self.operationsMaximum }) else {
            throw ValidationError("A step of this size takes minutes: give a smaller --batch.")
        }
    }

    func run() async throws {
        let console = Console.current
        let (shapes, isJSON) = (shapes, output.json)
        if !isJSON { console.line(" inputs  hidden  layers   batch   best µs  median µs  GFLOP/s    peak  share") }
        try await Signals.onThread { interruption in
            let bar = ProgressBar(console: console)
            for (index, shape) in shapes.enumerated() {
                try interruption.check()
                bar.show(Double(index) / Double(shapes.count)) { "\(index) of \(shapes.count) shapes" }
                defer { bar.clear() }
                let result = try StepBench.run(shape, clock: SystemClock()) { interruption.isRequested }
                console.line(isJSON ? JSONWriter.text(of: result) : Self.line(result))
            }
        }
    }

    /// Some ten seconds of a core with AVX2; a call is not interrupted.
    private static let operationsMaximum = 1e12

    /// The shape that is given, or those of the usual ones that have what is given.
    private var shapes: [StepBench.Shape] {
        if let inputs, let hidden, let batch {
            return [StepBench.Shape(inputs: inputs, hidden: hidden, layers: layers, batch: batch)]
        }
        return StepBench.shapes.filter {
            (inputs ?? $0.inputs) == $0.inputs && (hidden ?? $0.hidden) == $0.hidden && (batch ?? $0.batch) == $0.batch
        }.map { StepBench.Shape(inputs: $0.inputs, hidden: $0.hidden, layers: layers, batch: $0.batch) }
    }

    private static func line(_ result: StepBench.Result) -> String {
        let shape = result.shape
        return String(
            format: "%7d %7d %7d %7d %9.2f %10.2f %8.1f %7.1f %5.0f%%", shape.inputs, shape.hidden, shape.layers,
            shape.batch, result.microseconds, result.median, result.gigaflops, result.peakGigaflops, result.share * 100)
    }
}

extension StepBench.Result: JSONWritable {
    func write(to json: inout JSONWriter) {
        json.object {
            $0.member("bench", "step")
            $0.member("inputs", shape.inputs)
            $0.member("hidden", shape.hidden)
            $0.member("layers", shape.layers)
            $0.member("batch", shape.batch)
            $0.member("threads", 1)
            $0.member("microseconds", microseconds)
            $0.member("median", median)
            $0.member("repetitions", repetitions)
            $0.member("gflops", gigaflops)
            $0.member("peak_gflops", peakGigaflops)
            $0.member("share", share)
        }
    }
}
