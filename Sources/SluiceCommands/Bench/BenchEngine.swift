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
            JSON records of many streams lie in memory; each is decoded, folded into its stream's state by one thread \
            and answered with an encoded prediction. Every output is counted and checked.

            Examples:
              sluice bench engine
              sluice bench engine --streams 100000 --features 16 --hidden 128 --json
            """)

    @Option(help: "Streams.")
    var streams = 10_000

    @Option(help: "Features of an observation.")
    var features = 8

    @Option(help: "Units of each layer.")
    var hidden = 64

    @Option(help: "Layers.")
    var layers = 1

    @Option(help: "Records folded at once, at most \(Limits.batchRecords).")
    var batch = 1_024

    @Option(help: "Seconds in all.")
    var seconds = 5.0

    @Flag(help: "One JSON object.")
    var json = false

    func validate() throws {
        for (name, value, limit) in [
            ("--streams", streams, 1_000_000), ("--features", features, 1_000), ("--hidden", hidden, Limits.hidden),
            ("--layers", layers, Limits.layers), ("--batch", batch, Limits.batchRecords),
        ] where !(1...limit).contains(value) {
            throw ValidationError("\(name) must be from 1 to \(limit).")
        }
        guard seconds > 0, seconds <= 3_600 else { throw ValidationError("--seconds must be above 0, up to 3600.") }
    }

    func run() async throws {
        let console = Console.current
        let settings = EngineBench.Settings(
            streams: streams, features: features, hidden: hidden, layers: layers, batch: batch, seconds: seconds)
        let result = try await Signals.onThread { interruption in
            try EngineBench.run(settings, clock: SystemClock()) { interruption.isRequested }
        }
        if json { return console.line(JSONWriter.text(of: result)) }
        console.line(
            String(
                format: "features %d, hidden %d, layers %d, streams %d, batch %d, one thread:", features, hidden,
                layers,
                streams, batch))
        console.line(
            String(
                format: "%.0f records/s at best, %.0f in the median of %d repetitions", result.recordsPerSecond,
                result.median, result.repetitions))
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
            $0.member("threads", 1)
            $0.member("records_per_second", recordsPerSecond.rounded())
            $0.member("median", median.rounded())
            $0.member("repetitions", repetitions)
        }
    }
}
