import ArgumentParser
import Glibc
import SluiceCore
import SluiceSimulation

/// The deterministic simulator on the command line.
struct Simulate: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sluice-simulate",
        abstract: "Runs the engine in a simulated world, from a seed, and checks what it promises.",
        discussion: """
            Each seed is one run: a Kafka cluster with transactions, machines with disks, processes that die, and the \
            worker that serve runs. A seed that fails prints one line that repeats it.

            Kinds of faults that meet a call of a process, with the calls (or any):
            \(FaultKind.allCases.filter(\.isAtCall).map(Self.describe).joined(separator: "\n"))

            Kinds that come at their time (the call is any):
            \(FaultKind.allCases.filter { !$0.isAtCall }.map(\.rawValue).joined(separator: ", "))
            """,
        version: Version.text)

    private static func describe(_ kind: FaultKind) -> String {
        "  \(kind.rawValue): \(kind.calls.map(\.rawValue).joined(separator: " "))"
    }

    @Option(help: "The first seed.")
    var seed: UInt64 = 1
    @Option(help: "How many seeds, one after the other.")
    var runs = 200
    @Option(
        help: """
            Faults instead of the seed's own: kind@milliseconds:process:call:amount, separated by commas; kinds and \
            calls are listed above.
            """)
    var faults: String?
    @Option(parsing: .upToNextOption, help: "Kinds of faults that are left out.")
    var without: [String] = []
    @Option(help: "A planted bug: \(Canary.allCases.map(\.rawValue).joined(separator: ", ")).")
    var canary: String?
    @Flag(help: "An object a line instead of text.")
    var json = false
    @Flag(help: "Goes on behind a seed that fails, and makes no list of faults short.")
    var all = false
    @Flag(help: "What the engines said in a run that fails; not with --json.")
    var verbose = false

    mutating func validate() throws {
        if let faults, FaultPlan(text: faults) == nil { throw ValidationError("--faults is not a list of faults") }
        if let canary, Canary(rawValue: canary) == nil { throw ValidationError("there is no canary \(canary)") }
        for kind in without where FaultKind(rawValue: kind) == nil {
            throw ValidationError("there is no fault \(kind)")
        }
        if json && verbose { throw ValidationError("--verbose prints text, and --json none") }
        guard runs > 0 else { throw ValidationError("--runs must be at least 1") }
    }

    mutating func run() throws {
        let planted = canary.flatMap { Canary(rawValue: $0) }
        let excluded = Set(without.compactMap { FaultKind(rawValue: $0) })
        var summary = Summary()
        var failures = 0
        for number in 0..<UInt64(runs) {
            let run = Simulation(
                seed: seed &+ number, plan: faults.flatMap { FaultPlan(text: $0) }, without: excluded, canary: planted)
            LastWord.prepare(repetition(run.seed, plan: isSeedsOwn ? nil : run.plan))
            let outcome = run.run()
            summary.add(outcome)
            if outcome.violation != nil {
                failures += 1
                report(outcome, all ? outcome : Shrinking.shrink(outcome, canary: planted))
                if !all { break }
            }
            fflush(nil)
            if !json && (number + 1).isMultiple(of: 100) { print("\(number + 1) of \(runs) seeds") }
        }
        print(json ? summary.json : summary.text)
        if failures > 0 { throw ExitCode.failure }
    }

    /// The faults of a run are those that its seed draws.
    private var isSeedsOwn: Bool { faults == nil && without.isEmpty }

    /// The line that repeats a run.
    ///
    /// - Parameter plan: nil: the seed's own.
    private func repetition(_ seed: UInt64, plan: FaultPlan?) -> String {
        let bug = canary.map { " --canary \($0)" } ?? ""
        let faults = plan.map { " --faults \"\($0)\"" } ?? ""
        return "sluice-simulate --seed \(seed) --runs 1\(bug)\(faults)"
    }

    /// - Parameter short: the same with fewer faults.
    private func report(_ outcome: Outcome, _ short: Outcome) {
        if verbose { short.notes.forEach { print($0) } }
        let message = short.violation.map { "\($0)" } ?? ""
        let line = repetition(outcome.seed, plan: isSeedsOwn ? nil : outcome.plan)
        let shortLine = short.plan == outcome.plan ? nil : repetition(outcome.seed, plan: short.plan)
        if json {
            print(Summary.failure(seed: outcome.seed, message: message, repeat: line, short: shortLine))
        } else {
            print("seed \(outcome.seed) breaks \(message)")
            print("repeat it: \(line)")
            if let shortLine { print("with fewer faults: \(shortLine)") }
        }
    }
}
