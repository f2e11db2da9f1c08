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

    @Option(help: "Seconds for each point. (default: 5)")
    var seconds: Double?

    @OptionGroup var output: BenchOutput

    func validate() throws {
        guard plot != nil || (seconds == nil && !output.json) else {
            throw ValidationError("--seconds and --json need a subcommand or --plot FILE.")
        }
        try BenchShape.check(seconds: secondsEach)
    }

    private var secondsEach: Double { seconds ?? 5 }

    /// What is wrong with what follows `bench` where that is no subcommand: what fails in a command without a name the
    /// library tells as an unknown option of the one above, and a misspelt subcommand as one argument too many of it.
    ///
    /// - Returns: what is to be said, and whose usage.
    static func problem(in arguments: [String]) -> (message: String, command: any ParsableCommand.Type)? {
        guard arguments.first == Bench._commandName, let next = arguments.dropFirst().first else { return nil }
        guard next.hasPrefix("-") else {
            let names = Bench.configuration.subcommands.map { $0._commandName }.filter { $0 != _commandName }
            if names.contains(next) { return nil }
            let nearest = Suggestion.nearest(to: next, among: names)
            return ("Unknown subcommand '\(next)'\(nearest.map { ". Did you mean '\($0)'?" } ?? "")", Bench.self)
        }
        do {
            _ = try parse(Array(arguments.dropFirst()))
            return nil
        } catch {
            return exitCode(for: error) == .validationFailure ? (message(for: error), self) : nil
        }
    }

    func run() async throws {
        guard let plot else { throw CleanExit.helpRequest(Bench.self) }
        try WritableFile.check(plot, flag: "--plot")
        let console = Console.current
        let sweep = EngineSweep(cores: Machine.cores, seconds: secondsEach)
        try BenchShape.check(bytes: sweep.bytes, "The largest of its points")
        if !output.json { console.line(EngineRow.heading) }
        let (lines, isWhole) = try await Signals.onThread { interruption in
            let bar = ProgressBar(console: console)
            defer { bar.clear() }
            let lines = try sweep.run(clock: SystemClock()) {
                bar.show($0)
            } found: { result in
                bar.clear()
                console.line(output.json ? JSONWriter.text(of: result) : EngineRow(result).text)
            } isCancelled: {
                interruption.isRequested
            }
            return (lines, !interruption.isRequested)
        }
        guard lines.contains(where: { !$0.results.isEmpty }) else {
            throw SluiceError(.interrupted, "interrupted before anything was measured")
        }
        let command = "sluice bench --plot \(plot) --seconds \(secondsEach)"
        let page = BenchPage(lines: lines, command: command, isWhole: isWhole)
        try FileBytes.replace(plot, with: Array(page.html.utf8))
    }
}
