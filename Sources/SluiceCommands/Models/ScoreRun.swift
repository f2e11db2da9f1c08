internal import Foundation
internal import SluiceAdmin
internal import SluiceCore
internal import SluiceService

/// One run of `sluice score`. Confined to one thread.
final class ScoreRun {
    /// Rejects that are told one by one; the rest is counted.
    private static let toldMax: Int64 = 20

    private let scorer: Scorer
    private let reader: RecordReader
    private let batch: Int
    private let output: String
    private let rejects: String?
    private let json: Bool
    private let console = Console.current
    private var told: Int64 = 0

    init(scorer: Scorer, reader: RecordReader, batch: Int, output: String, rejects: String?, json: Bool) {
        self.scorer = scorer
        self.reader = reader
        self.batch = batch
        self.output = output
        self.rejects = rejects
        self.json = json
    }

    func run(_ interruption: Interruption) throws {
        var predictions = try OutputFile(output)
        var refused = try rejects.map { try RejectFile($0) }
        let bar = ProgressBar(console: console)
        let started = ContinuousClock.now
        do {
            while !interruption.isRequested, try readOn(&predictions, &refused, bar) {
                let share = reader.size > 0 ? Double(reader.position) / Double(reader.size) : nil
                bar.show(share) {
                    let seconds = (ContinuousClock.now - started) / .seconds(1)
                    return ProgressBar.rate(Double(scorer.summary.observations), per: seconds)
                }
            }
        } catch {
            // What was scored before is kept; a failure to write it would only repeat the first one.
            try? predictions.flush()
            try? refused?.flush()
            throw error
        }
        try predictions.flush()
        try refused?.flush()
        bar.clear()
        summarize((ContinuousClock.now - started) / .seconds(1))
        if interruption.isRequested {
            throw SluiceError(
                .interrupted, "interrupted: the output ends where it was", remedy: "run it again from the start")
        }
    }

    /// False at the end of the input.
    private func readOn(
        _ predictions: inout OutputFile, _ refused: inout RejectFile?, _ bar: ProgressBar
    ) throws -> Bool {
        try reader.next(limit: batch) { rows in
            try scorer.score(
                rows, prediction: { try predictions.writeLine($0) },
                reject: { reject, value in
                    tell(reject, bar)
                    try refused?.write(reject, value)
                })
        }
    }

    private func tell(_ reject: Scorer.Reject, _ bar: ProgressBar) {
        told += 1
        guard told <= Self.toldMax else { return }
        bar.clear()
        console.errorLine("row \(reject.row): \(reject.code): \(reject.message.printable)")
        if told == Self.toldMax {
            console.errorLine("further rejects are counted; --rejects FILE keeps them all")
        }
    }

    private func summarize(_ seconds: Double) {
        let summary = scorer.summary
        guard json else {
            let rate = ProgressBar.rate(Double(summary.observations), per: seconds)
            return console.errorLine(
                Shown.count(summary.observations, "observation")
                    + ": \(Shown.count(summary.predictions, "prediction")), \(Shown.count(summary.rejects, "reject")),"
                    + " \(Shown.count(summary.ended, "stream")) ended, \(summary.dropped) late dropped; \(rate)")
        }
        var writer = JSONWriter()
        writer.object {
            $0.member("observations", summary.observations)
            $0.member("predictions", summary.predictions)
            $0.member("rejects", summary.rejects)
            $0.member("ended", summary.ended)
            $0.member("dropped", summary.dropped)
        }
        console.errorLine(writer.text)
    }
}

extension SluiceError.Code {
    static let interrupted = SluiceError.Code("interrupted")
}

/// Rejects as JSON lines.
private struct RejectFile: ~Copyable {
    private var file: OutputFile

    init(_ path: String) throws { file = try OutputFile(path) }

    /// The value is the row's text; bytes that are not UTF-8 are shown as U+FFFD.
    mutating func write(_ reject: Scorer.Reject, _ value: UnsafeRawBufferPointer) throws {
        var writer = JSONWriter()
        writer.object {
            $0.member("row", reject.row)
            $0.member("error", reject.code)
            $0.member("message", reject.message)
            $0.member("source", reject.source)
            if let cut = reject.cut {
                $0.member("truncated", cut.length)
                $0.member("sha256", cut.sha256)
            }
            $0.member("value", String(decoding: value, as: UTF8.self))
        }
        var text = writer.text
        try text.withUTF8 { try file.writeLine(UnsafeRawBufferPointer($0)) }
    }

    mutating func flush() throws { try file.flush() }
}
