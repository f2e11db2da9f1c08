internal import ArgumentParser
internal import Foundation
internal import SluiceAdmin
internal import SluiceCore
internal import SluiceService

/// `sluice bench engine`.
struct BenchEngine: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "engine",
        abstract: "The engine without a broker: decode, fold, encode.",
        discussion: """
            JSON records of many streams lie in memory; each is decoded, folded into its stream's state and answered \
            with an encoded prediction. Outputs are counted, and one batch in seven is read back, beside the time \
            taken, and states of some streams compared with the reference, bit by bit, before it. Memory is by how \
            much the process grows when the streams come, buffers included, which weigh on few of them; the longest \
            batch, in processor time, is one of those in which they come. Rates of several workers are summed, each \
            of the time that it folded.

            Examples:
              sluice bench engine
              sluice bench engine --streams 100000 --features 16 --hidden 128 --json
            """)

    @Option(help: "Streams.")
    var streams = 10_000

    @OptionGroup var shape: BenchShape

    @Option(help: "Records folded at once, at most \(Limits.batchRecords).")
    var batch = 1_024

    @Option(help: "Partitions in which the streams lie, at least one for each worker. (default: as many)")
    var partitions: Int?

    @Option(help: "Threads, each with an engine and a share of the streams.")
    var workers = 1

    @Option(help: "Seconds of measuring, over all repetitions.")
    var seconds = 5.0

    @OptionGroup var output: BenchOutput

    func validate() throws {
        try BenchShape.check([("--streams", streams, 10_000_000), ("--batch", batch, Limits.batchRecords)])
        try BenchShape.check([
            ("--workers", workers, min(streams, 1_024)),
            ("--partitions", partitions ?? workers, min(streams, 65_536)),
        ])
        if let partitions, partitions < workers {
            throw ValidationError("--partitions \(partitions) leaves some of \(workers) workers without one.")
        }
        try BenchShape.check(seconds: seconds)
        try BenchShape.check(bytes: settings.bytes, "--streams \(streams) of this size")
    }

    private var settings: EngineBench.Settings {
        EngineBench.Settings(
            streams: streams, features: shape.features, hidden: shape.hidden, layers: shape.layers, batch: batch,
            partitions: partitions ?? workers, workers: workers, seconds: seconds)
    }

    func run() async throws {
        let console = Console.current
        let settings = settings
        let (result, isWhole) = try await Signals.onThread { interruption in
            let bar = ProgressBar(console: console)
            defer { bar.clear() }
            do {
                let result = try EngineBench.run(settings, clock: SystemClock()) {
                    bar.show($0)
                } isCancelled: {
                    interruption.isRequested
                }
                return (result, !interruption.isRequested)
            } catch is CancellationError {
                throw SluiceError(.interrupted, "interrupted before anything was measured")
            }
        }
        if output.json {
            console.line(JSONWriter.text(of: result))
        } else {
            console.line(EngineRow.heading)
            console.line(EngineRow(result).text)
        }
        // What was measured until then is of fewer repetitions.
        if !isWhole { throw CancellationError() }
    }
}

extension ProgressBar {
    func show(_ progress: EngineBench.Progress) {
        show(progress.share) { progress.recordsPerSecond.map { Self.rate($0, per: 1) } ?? "making records and streams" }
    }
}

extension EngineBench.Result: JSONWritable {
    func write(to json: inout JSONWriter) {
        json.object {
            $0.member("bench", "engine")
            $0.member("inputs", settings.features)
            $0.member("hidden", settings.hidden)
            $0.member("layers", settings.layers)
            $0.member("streams", settings.streams)
            $0.member("batch", settings.batch)
            $0.member("partitions", settings.partitions)
            $0.member("workers", settings.workers)
            $0.member("threads", settings.workers)
            $0.member("records_per_second", recordsPerSecond.rounded())
            $0.member("median", median.rounded())
            $0.member("repetitions", repetitions)
            $0.member("resident_bytes", memory.resident)
            $0.member("state_bytes", memory.counted)
            $0.member("raw_state_bytes", memory.raw)
            $0.member("longest_batch_milliseconds", longestMilliseconds)
        }
    }
}
