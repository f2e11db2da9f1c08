import ArgumentParser
import Glibc
import SluiceSimulation

/// The deterministic simulator on the command line.
struct Simulate: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sluice-simulate",
        abstract: "Runs the engine in a simulated world, from a seed, and checks what it promises.",
        discussion: """
            Each seed is one run: a Kafka cluster with transactions, machines with disks, processes that die, and the \
            worker that serve runs. A seed that fails prints one line that repeats it.
            """)

    /// For a last word; one thread writes it.
    nonisolated(unsafe) static var seedAtHand: UInt64 = 0

    @Option(help: "The first seed.")
    var seed: UInt64 = 1
    @Option(help: "How many seeds, one after the other.")
    var runs = 200
    @Option(help: "Faults instead of the seed's own: kind@milliseconds:process:call:amount, separated by commas.")
    var faults: String?
    @Option(parsing: .upToNextOption, help: "Kinds of faults that are left out.")
    var without: [String] = []
    @Option(help: "A planted bug: \(Canary.allCases.map(\.rawValue).joined(separator: ", ")).")
    var canary: String?
    @Flag(help: "An object a line instead of text.")
    var json = false
    @Flag(help: "Goes on behind a seed that fails, and makes no list of faults short.")
    var all = false
    @Flag(help: "What the engines said in a run that fails.")
    var verbose = false

    mutating func validate() throws {
        if let faults, FaultPlan(text: faults) == nil { throw ValidationError("--faults is not a list of faults") }
        if let canary, Canary(rawValue: canary) == nil { throw ValidationError("there is no canary \(canary)") }
        for kind in without where FaultKind(rawValue: kind) == nil {
            throw ValidationError("there is no fault \(kind)")
        }
        guard runs > 0 else { throw ValidationError("--runs must be at least 1") }
    }

    mutating func run() throws {
        let planted = canary.flatMap { Canary(rawValue: $0) }
        let excluded = Set(without.compactMap { FaultKind(rawValue: $0) })
        var summary = Summary()
        var failures = 0
        for number in 0..<UInt64(runs) {
            Self.seedAtHand = seed &+ number
            let outcome = Simulation(
                seed: seed &+ number, plan: faults.flatMap { FaultPlan(text: $0) }, without: excluded, canary: planted
            ).run()
            summary.add(outcome)
            if let violation = outcome.violation, all {
                failures += 1
                print("seed \(outcome.seed) breaks \(violation)")
            } else if outcome.violation != nil {
                report(Shrinking.shrink(outcome, canary: planted), summary)
                throw ExitCode.failure
            }
            fflush(nil)
            if !json && (number + 1).isMultiple(of: 100) { print("\(number + 1) of \(runs) seeds") }
        }
        print(json ? summary.json : summary.text)
        if failures > 0 { throw ExitCode.failure }
    }

    private func report(_ outcome: Outcome, _ summary: Summary) {
        if verbose { outcome.notes.forEach { print($0) } }
        let plan = outcome.plan.faults.isEmpty ? "" : " --faults \(outcome.plan)"
        let bug = canary.map { " --canary \($0)" } ?? ""
        let line = "sluice-simulate --seed \(outcome.seed) --runs 1\(bug)\(plan.isEmpty ? " --faults \"\"" : plan)"
        let message = outcome.violation.map { "\($0)" } ?? ""
        if json {
            print(Summary.failure(seed: outcome.seed, message: message, repeat: line))
        } else {
            print("seed \(outcome.seed) breaks \(message)")
            print("repeat it: sluice-simulate --seed \(outcome.seed) --runs 1\(bug)")
            print("with fewer faults: \(line)")
            print(summary.text)
        }
    }
}
