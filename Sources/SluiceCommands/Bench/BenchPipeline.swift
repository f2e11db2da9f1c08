internal import ArgumentParser
internal import Foundation
internal import Logging
internal import SluiceAdmin
internal import SluiceCore
internal import SluiceService

/// `sluice bench pipeline`.
struct BenchPipeline: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pipeline",
        abstract: "The whole service on a broker: consume, decode, step, encode, produce, commit.",
        discussion: """
            A new application reads TOPIC from its beginning, as 'sluice serve' would, and writes a prediction for \
            each record to TOPIC-out. Records are JSON objects with the features at /values/f0, /values/f1 and so on. \
            The time is from the arrival of the first record to the commit behind the last. The first run finds \
            everything cold: the median leaves it out where there are several. Outputs are counted, the last of \
            each partition read back, and all compared with those of the first run, beside the time taken. Topics \
            that the application makes for itself are deleted again; TOPIC-out stays, and its consumer group until \
            the broker forgets it (offsets.retention.minutes).

            --load measures latency, too: applications are fed through topics of their own and read back, from here, \
            for --seconds each, after the runs above. From arrival, when a worker takes a batch from the client, to \
            produced, which is handed to the client or, exactly-once, committed; and from end to end, where what \
            waits for a worker is counted too. All of the load, 100, is what one of them predicts when it is fed \
            without a pause, on the machines as they are: less than the rate above where feeder and reader take \
            processors from it. At a load these two have the lowest priority, as if they were on machines of their \
            own; what that delays them is part of end to end alone. Machines whose clock drops at times, as shared \
            and hot ones do, are told from the service: the second row leaves out the tenths of a second in which \
            they did, and those in which the backlog was worked off.

            Examples:
              sluice bench pipeline --bootstrap localhost:9092 --topic obs8 --count 1000000
              sluice bench pipeline --bootstrap localhost:9092 --topic obs8 --count 1000000 --delivery at-least-once \
            --json
              sluice bench pipeline --bootstrap localhost:9092 --topic obs8 --load 10,50,80
            """)

    @Option(help: ArgumentHelp("The broker.", valueName: "host:port"))
    var bootstrap: String

    @Option(help: "The topic to read.")
    var topic: String

    @Option(help: "Records to be predicted, at least: so many the topic must hold.")
    var count = 1_000_000

    @Option(help: "exactly-once or at-least-once.")
    var delivery = "exactly-once"

    @OptionGroup var shape: BenchShape

    @Option(help: "Threads that fold.")
    var workers = 2

    @Option(help: "Runs over TOPIC, each of a new application; loads are run once.")
    var repetitions = 4

    @Option(help: ArgumentHelp("Latency at these percentages of the load, such as 10,50,80.", valueName: "list"))
    var load: String?

    @Option(help: "Seconds of each measurement of latency.")
    var seconds = 10.0

    @OptionGroup var output: BenchOutput

    @OptionGroup var set: SettingOptions
    @OptionGroup var log: LogOptions

    func validate() throws {
        try BenchShape.check([
            ("--count", count, 1_000_000_000), ("--workers", workers, 1_024), ("--repetitions", repetitions, 100),
        ])
        guard loads != nil else {
            throw ValidationError("--load must be percentages above 0, up to 200, such as 10,50,80.")
        }
        try BenchShape.check(seconds: seconds)
        for (path, _) in try set.flags() {
            if let flag = Self.flags[path] {
                throw ValidationError("--set \(path) has a flag of its own here: give \(flag).")
            }
            // What is made here is taken away again: it must be nobody else's.
            if Self.owned.contains(where: { path == $0 || path.hasPrefix($0 + ".") }) {
                throw ValidationError("--set \(path) is not to be set here: each run has its own.")
            }
        }
        guard ["exactly-once", "at-least-once"].contains(delivery) else {
            throw ValidationError("--delivery must be exactly-once or at-least-once.")
        }
    }

    func run() async throws {
        let console = Console.current
        let settings = PipelineBench.Settings(
            bootstrap: bootstrap, topic: topic, count: count, delivery: delivery, features: shape.features,
            hidden: shape.hidden, layers: shape.layers, workers: workers, repetitions: repetitions, set: try set.flags()
        )
        let logger = try log.logger(default: .error)
        let work = Task {
            let bar = ProgressBar(console: console)
            defer { bar.clear() }
            let result = try await PipelineBench.run(settings, logger: logger) { done, repetition in
                let share = (Double(repetition) + Double(done) / Double(settings.count)) / Double(settings.repetitions)
                bar.show(min(1, share)) { "run \(repetition + 1) of \(settings.repetitions), \(done) predicted" }
            }
            bar.clear()
            show(result, on: console)
            guard let loads, !loads.isEmpty else { return }
            let capacity = try await LoadBench.capacity(settings, seconds: seconds, logger: logger)
            if !output.json {
                console.line(String(format: "all of the load is %.0f records/s, fed and read back here", capacity))
            }
            for load in loads {
                let latency = try await LoadBench.run(
                    settings, load: load, rate: load * capacity, seconds: seconds, logger: logger)
                let lines = output.json ? [JSONWriter.text(of: latency)] : latency.lines
                lines.forEach { console.line($0) }
            }
        }
        try await Signals.during {
            try await work.value
        } first: {
            work.cancel()
        }
    }

    /// Settings that are options of this command: the row names them, and the network is drawn from them.
    private static let flags = [
        "kafka.bootstrap.servers": "--bootstrap", "input.topic": "--topic", "delivery": "--delivery",
        "workers": "--workers", "model.hidden": "--hidden", "model.layers": "--layers",
        "input.features": "--features",
    ]

    private static let owned = ["application", "output", "state.directory", "admin"]

    /// Shares of the rate; nil where they are none.
    private var loads: [Double]? {
        guard let load else { return [] }
        let loads = load.split(separator: ",", omittingEmptySubsequences: false).map {
            Double($0).map { $0 / 100 } ?? 0
        }
        return loads.allSatisfy { $0 > 0 && $0 <= 2 } ? loads : nil
    }

    private func show(_ result: PipelineBench.Result, on console: Console) {
        if output.json { return console.line(JSONWriter.text(of: result)) }
        console.line(
            "\(delivery), features \(shape.features), hidden \(shape.hidden), layers \(shape.layers), "
                + "streams \(result.streams), workers \(workers):")
        console.line(
            String(
                format: "%.0f records/s at best, %.0f in the median of %d runs", result.recordsPerSecond,
                result.median, result.rates.count))
    }
}

extension PipelineBench.Result: JSONWritable {
    func write(to json: inout JSONWriter) {
        json.object {
            $0.member("bench", "pipeline")
            $0.member("delivery", settings.delivery)
            $0.member("inputs", settings.features)
            $0.member("hidden", settings.hidden)
            $0.member("layers", settings.layers)
            $0.member("streams", streams)
            $0.member("threads", settings.workers)
            $0.member("records", records)
            $0.member("records_per_second", recordsPerSecond.rounded())
            $0.member("median", median.rounded())
            $0.member("repetitions", rates.count)
        }
    }
}
