internal import ArgumentParser
internal import Foundation
internal import SluiceAdmin
internal import SluiceCore
internal import SluiceExperiments
internal import SluiceFiles
internal import SluiceTraining

/// `sluice experiment NAME`.
struct ExperimentCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "experiment",
        abstract: "Reproduce the textbook's experiments on carried states.",
        discussion: """
            long-memory    which ways of cutting sequences into batches let a network
                           remember their first step
            carry          the three carry policies, same data and budget, over several
                           lengths of a chunk
            initial-state  zero, drawn and learned, with many resets and with few

            Prints a table, and what it says. All data is made up from the seeds: nothing else is needed.

            Examples:
              sluice experiment long-memory
              sluice experiment carry --seeds 5 --html carry.html
              sluice experiment initial-state --json
            """)

    enum Name: String, ExpressibleByArgument, CaseIterable {
        case longMemory = "long-memory"
        case carry
        case initialState = "initial-state"

        var experiment: Experiment {
            switch self {
            case .longMemory: .longMemory
            case .carry: .carry
            case .initialState: .initialState
            }
        }
    }

    @Argument(help: "long-memory, carry or initial-state.")
    var name: Name

    @Option(help: "Each set-up is run with so many seeds, from 0 on; the table shows the range.")
    var seeds = 3

    @Option(
        help: ArgumentHelp(
            "The table, what it says, and charts besides, as a page that needs nothing else.", valueName: "file"))
    var html: String?

    @Flag(help: "JSON lines: a set-up each, and the reading at the end.")
    var json = false

    func validate() throws {
        guard (1...100).contains(seeds) else { throw ValidationError("--seeds must be from 1 to 100.") }
    }

    func run() async throws {
        let experiment = name.experiment
        let console = Console.current
        if let html { try WritableFile.check(html, flag: "--html") }
        try await Signals.onThread { interruption in
            let bar = ProgressBar(console: console)
            let results: [SetUpResult]
            do {
                results = try experiment.run(
                    seeds: (0..<UInt64(seeds)).map { $0 }, isCancelled: { interruption.isRequested }
                ) { run, of, share in
                    bar.show((Double(run) + share) / Double(of)) { "run \(run + 1) of \(of)" }
                }
            } catch is CancellationError {
                throw SluiceError(.interrupted, "interrupted: an experiment is its whole table")
            }
            bar.clear()
            let report = experiment.report(on: results)
            tell(experiment, results, report, console)
            guard let html else { return }
            try FileBytes.replace(html, with: Array(ExperimentPage.html(experiment, report, seeds: seeds).utf8))
        }
    }

    private func tell(
        _ experiment: Experiment, _ results: [SetUpResult], _ report: ExperimentReport, _ console: Console
    ) {
        if json {
            for result in results { console.line(JSONWriter.text(of: result)) }
            return console.line(JSONWriter.text(of: Reading(experiment: experiment.name, reading: report.reading)))
        }
        console.line(experiment.question + "\n")
        var table = TextTable(report.header.enumerated().map { $0 == 0 ? .left($1) : .right($1) })
        for row in report.rows { table.add(row) }
        console.out(table.text + "\n")
        console.line(report.reading.wrapped(to: 100))
    }
}

private struct Reading: JSONWritable {
    let experiment, reading: String

    func write(to json: inout JSONWriter) {
        json.object {
            $0.member("experiment", experiment)
            $0.member("reading", reading)
        }
    }
}

extension SetUpResult: JSONWritable {
    func write(to json: inout JSONWriter) {
        json.object {
            $0.member("set_up", setUp.name)
            $0.member("ceiling", setUp.ceiling)
            $0.member("expected", setUp.expected)
            $0.member("chunk", setUp.configuration.chunk)
            $0.member("rows", setUp.configuration.rows)
            $0.member("carry", setUp.configuration.carry[0].rawValue)
            $0.member("order", setUp.configuration.order.rawValue)
            $0.member("runs", runs)
        }
    }
}

extension Measured: JSONWritable {
    func write(to json: inout JSONWriter) {
        json.object {
            $0.member("seed", Int(seed))
            $0.member("epochs", epochs)
            $0.member("carried_loss", carryGap?.carried.loss)
            $0.member("carried_accuracy", carryGap?.carried.accuracy)
            $0.member("reset_per_chunk_loss", carryGap?.resetPerChunk.loss)
            $0.member("reset_per_chunk_accuracy", carryGap?.resetPerChunk.accuracy)
            $0.member("carry_gap", carryGap?.difference)
            $0.member("seconds_per_epoch", secondsPerEpoch)
        }
    }
}

extension String {
    /// Broken at spaces into lines of up to so many characters.
    fileprivate func wrapped(to width: Int) -> String {
        var lines = [""]
        for word in split(separator: " ") {
            let isFirst = lines[lines.count - 1].isEmpty
            if !isFirst && lines[lines.count - 1].count + 1 + word.count > width {
                lines.append(String(word))
            } else {
                lines[lines.count - 1] += (isFirst ? "" : " ") + word
            }
        }
        return lines.joined(separator: "\n")
    }
}
