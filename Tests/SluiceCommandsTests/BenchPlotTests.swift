import Synchronization
import Testing

@testable import SluiceCommands
@testable import SluiceService

@Suite struct BenchPlotTests {
    private final class Flag: Sendable {
        let isSet = Atomic<Bool>(false)
    }

    private static func result(_ settings: EngineBench.Settings, rate: Double) -> EngineBench.Result {
        EngineBench.Result(
            settings: settings, recordsPerSecond: rate, median: rate / 2, repetitions: 7,
            memory: .init(
                resident: 900 * settings.streams, counted: 880 * settings.streams, raw: 512 * settings.streams),
            longestMilliseconds: 2.5)
    }

    @Test func thePageHasAChartAndATableForEachSizeThatWasMeasured() {
        let lines = [
            EngineSweep.Line(
                .streams,
                [
                    Self.result(.init(streams: 1_000, seconds: 1), rate: 1_250_000),
                    Self.result(.init(streams: 1_000_000, seconds: 1), rate: 800_000),
                ]),
            EngineSweep.Line(.hidden, [Self.result(.init(seconds: 1), rate: 1_000_000)]),
            EngineSweep.Line(.layers),
        ]
        let html = BenchPage(lines: lines, command: "sluice bench --plot a&b.html").html
        #expect(html.matches(of: /<svg/).count == 2 && !html.contains("<h2>Layers</h2>"))
        #expect(html.contains("<h2>Streams</h2>") && html.contains("<h2>Hidden units</h2>"))
        #expect(html.contains("<td class=\"number\">1,000,000</td><td class=\"number\">800,000</td>"))
        #expect(html.contains("<td class=\"number\">900</td><td class=\"number\">880</td>"))
        #expect(html.contains("a&amp;b.html") && html.contains(Machine.instructionSet))
        #expect(html.contains("10,000 streams, 8 features, 64 hidden units, 1 layer, 1 worker, 1 partition"))
    }

    @Test func whatWasMeasuredWhenItIsInterruptedIsKept() throws {
        let isEnough = Flag()
        var found: [Int] = []
        var shares: [Double] = []
        let lines = try EngineSweep(cores: 2, seconds: 1e-6).run(clock: SystemClock()) {
            shares.append($0.share)
        } found: {
            found.append($0.settings.streams)
            isEnough.isSet.store(true, ordering: .relaxed)
        } isCancelled: {
            isEnough.isSet.load(ordering: .relaxed)
        }
        #expect(found == [1_000] && lines.map(\.size) == EngineSweep.Size.allCases)
        #expect(lines.map(\.results.count) == [1, 0, 0, 0, 0, 0])
        #expect(shares == shares.sorted() && (shares.last ?? 2) < 1)
    }

    @Test func withoutAFileBenchSaysWhatThereIs() async throws {
        let help = await sluice("bench")
        #expect(help.code == 0 && help.out.contains("SUBCOMMANDS:") && help.out.contains("bench --plot"))
        try await withFolder { folder in
            let nowhere = await sluice("bench", "--plot", folder.file("nowhere/engine.html"))
            #expect(nowhere.code == 1 && nowhere.out.isEmpty && nowhere.error.contains("cannot be written"))
        }
    }

    /// Each ends before anything is measured: nobody waits for what cannot be had.
    @Test(arguments: [
        (["pipeline", "--bootstrap", "b:1", "--topic", "t", "--load", "nan"], "--load must be percentages above 0"),
        (["pipeline", "--bootstrap", "b:1", "--topic", "t", "--set", "application=a"], "each run has its own"),
        (["pipeline", "--bootstrap", "b:1", "--topic", "t", "--set", "output.topic=a"], "each run has its own"),
        (
            ["train", "--inputs", "1", "--hidden", "4096", "--layers", "4", "--batch", "4096", "--steps", "4096"],
            "An update of this size takes"
        ),
        (["engine", "--streams", "10000000", "--features", "1000"], "--streams 10000000 of this size takes"),
        (["engine", "--workers", "4", "--partitions", "2"], "leaves some of 4 workers without one"),
    ]) func whatCannotBeMeasuredIsRefused(arguments: [String], message: String) async {
        let refused = await sluice("bench", list: arguments)
        #expect(refused.code == 2 && refused.error.contains(message), "\(refused.error)")
    }

    /// The library would say that there is no such option, for the command that has it has no name.
    @Test(arguments: [
        (["stp"], "Unknown subcommand 'stp'. Did you mean 'step'?"),
        (["--plot"], "Missing value for '--plot <file>'"),
        (["--plott", "a.html"], "Unknown option '--plott'. Did you mean '--plot'?"),
        (["--plot", "a.html", "--seconds", "0"], "--seconds must be above 0, up to 3600."),
        (["--seconds", "3"], "--seconds and --json need a subcommand or --plot FILE."),
        (["--plot", "a.html", "--seconds", "few"], "The value 'few' is invalid for '--seconds <seconds>'"),
    ]) func whatIsWrongWithItsOptionsIsTold(arguments: [String], message: String) async {
        let refused = await sluice("bench", list: arguments)
        #expect(refused.code == 2 && refused.error.hasPrefix("error: \(message)\nUsage: "), "\(refused.error)")
    }
}
