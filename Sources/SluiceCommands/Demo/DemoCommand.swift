internal import ArgumentParser
internal import Logging
internal import SluiceService

/// `sluice demo`.
struct DemoCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "demo",
        abstract: "The whole service on this machine, with nothing else installed.",
        discussion: """
            Starts an embedded broker, trains on the first part of two bundled series (hourly temperatures of Seattle \
            and San Francisco, a boundary at each midnight), replays the rest through Kafka topics beside this \
            machine's own metrics, predicts every observation, resets one stream by command, trains anew on what the \
            topic holds and swaps to the result, and sums up at its end. Everything it writes goes to a temporary \
            folder that is removed.

            Examples:
              sluice demo
              sluice demo --duration 40
              sluice demo --speed 200 --port 9000
            """)

    @Option(help: "Seconds; without it the demo runs until Ctrl-C.")
    var duration: Double?

    @Option(help: "Port of the HTTP API. (default: 8080, or any free one)")
    var port: Int?

    @Option(help: "Hours of the recorded series a second.")
    var speed = 60.0

    @Option(help: ArgumentHelp("Between retrainings, such as 60s; or never.", valueName: "duration"))
    var retrainEvery = "10s"

    @OptionGroup var log: LogOptions

    func validate() throws {
        if let duration, !(duration > 0) { throw ValidationError("--duration must be above 0.") }
        if let port, !(0...65_535).contains(port) { throw ValidationError("--port must be from 0 to 65535.") }
        guard speed > 0, speed <= 100_000 else { throw ValidationError("--speed must be above 0, up to 100000.") }
    }

    func run() async throws {
        // The show speaks for itself; only what went wrong is worth a line.
        let logger = try log.logger(default: .error)
        let screen = DemoScreen(console: .current)
        let demo = Demo(
            Demo.Options(duration: duration, port: port, speed: speed, retrainEvery: retrainEvery), logger: logger,
            report: { screen.show($0) })
        // After a signal the demo still stops in order and sums up; a second one ends it at once.
        let show = Task { try await demo.run() }
        try await Signals.during {
            try await show.value
        } first: {
            show.cancel()
        }
    }
}
