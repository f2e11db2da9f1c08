internal import ArgumentParser
internal import Foundation
internal import SluiceAdmin
internal import SluiceService

/// `sluice bench codec`.
struct BenchCodec: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "codec",
        abstract: "Reading observations and writing predictions.",
        discussion: """
            Observations in memory, JSON and CSV, are decoded into columns, and predictions of one target and one \
            horizon are encoded, by one thread. Documents that differ in nothing but their values are read faster \
            than others: JSON is measured with members in one order, in those of four programs in turn, and in \
            another one in each. Every result is compared with what it must be, beside the time \
            taken.

            Examples:
              sluice bench codec
              sluice bench codec --features 16 --json
            """)

    @Option(help: "Features of an observation.")
    var features = 8

    @Option(help: "Seconds of each of the five, over all repetitions.")
    var seconds = 2.0

    @OptionGroup var output: BenchOutput

    func validate() throws {
        try BenchShape.check([("--features", features, 1_000)])
        try BenchShape.check(seconds: seconds)
    }

    func run() async throws {
        let console = Console.current
        let settings = CodecBench.Settings(features: features, seconds: seconds)
        let isJSON = output.json
        try await Signals.onThread { interruption in
            let (bar, all) = (ProgressBar(console: console), CodecBench.Work.allCases)
            for (index, work) in all.enumerated() {
                try interruption.check()
                bar.show(Double(index) / Double(all.count)) { "\(index) of \(all.count)" }
                defer { bar.clear() }
                let result = try CodecBench.run(work, settings, clock: SystemClock()) { interruption.isRequested }
                console.line(isJSON ? JSONWriter.text(of: result) : Self.text(of: result))
            }
        }
    }

    private static func text(of result: CodecBench.Result) -> String {
        String(
            format: "%@ %@, features %d, %.0f bytes: %.0f records/s at best, %.0f in the median of %d repetitions",
            result.work.direction, result.work.kind, result.settings.features, result.bytesPerRecord,
            result.recordsPerSecond, result.median, result.repetitions)
    }
}

extension CodecBench.Result: JSONWritable {
    func write(to json: inout JSONWriter) {
        json.object {
            $0.member("bench", "codec")
            $0.member("direction", work.direction)
            $0.member("format", work.format)
            $0.member("kind", work.kind)
            $0.member("inputs", settings.features)
            $0.member("threads", 1)
            $0.member("records_per_second", recordsPerSecond.rounded())
            $0.member("median", median.rounded())
            $0.member("repetitions", repetitions)
            $0.member("bytes_per_record", bytesPerRecord.rounded())
        }
    }
}
