internal import ArgumentParser
internal import SluiceAdmin
internal import SluiceCore
internal import SluiceFiles
internal import SluiceService

/// `sluice bench --plot FILE`: a command without a name of its own, for options of `bench` would be taken from those of
/// its subcommands.
struct BenchPlot: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "plot", abstract: "The engine over its sizes, as charts.",
        usage: "sluice bench --plot <file> [--seconds <seconds>] [--json]", shouldDisplay: false)

    @Option(help: ArgumentHelp("The page to write.", valueName: "file"))
    var plot: String?

    @Option(help: "Seconds for each point.")
    var seconds = 5.0

    @OptionGroup var output: BenchOutput

    /// Nothing is checked before: what fails there is told of as an unknown option of `bench`.
    func run() async throws {
        try BenchShape.check(seconds: seconds)
        guard let plot else { throw CleanExit.helpRequest(Bench.self) }
        try WritableFile.check(plot, flag: "--plot")
        let console = Console.current
        let sweep = EngineSweep(cores: Machine.cores, seconds: seconds)
        if !output.json { console.line(EngineRow.heading) }
        let lines = try await Signals.onThread { interruption in
            let bar = ProgressBar(console: console)
            defer { bar.clear() }
            return try sweep.run(clock: SystemClock()) { progress in
                bar.show(progress.share) { ProgressBar.rate(progress.recordsPerSecond, per: 1) }
            } found: { result in
                bar.clear()
                console.line(output.json ? JSONWriter.text(of: result) : EngineRow(result).text)
            } isCancelled: {
                interruption.isRequested
            }
        }
        guard lines.contains(where: { !$0.results.isEmpty }) else {
            throw SluiceError(.interrupted, "interrupted before anything was measured")
        }
        let page = BenchPage(lines: lines, command: "sluice bench --plot \(plot) --seconds \(seconds)")
        try FileBytes.replace(plot, with: Array(page.html.utf8))
    }
}
