internal import Foundation
internal import SluiceLSTM
internal import SluiceService
internal import SluiceTraining

/// A search as people read it.
enum TuningText {
    static func announce(_ search: TrainRun.Search, _ job: TrainingJob) -> String {
        let hidden = TuningTrial.hiddenFactors.map { TuningTrial.hidden(job.shape.hidden, times: $0) }
        let (chunks, rates) = (TuningTrial.chunks, TuningTrial.learningRates)
        let parts = [
            search.fixed.contains(.chunk)
                ? "chunk \(job.training.chunk)" : "chunk \(chunks[0]) to \(chunks[chunks.count - 1])",
            search.fixed.contains(.hidden)
                ? "hidden \(job.shape.hidden)" : "hidden \(hidden[0]) to \(hidden[hidden.count - 1])",
            search.fixed.contains(.learningRate)
                ? "learning rate \(job.training.learningRate)"
                : "learning rate \(rates.lowerBound) to \(rates.upperBound)",
            search.fixed.contains(.carry) ? "carry \(job.training.carry[0].rawValue)" : "all carry policies",
        ]
        return "\(job.manifest.head.rawValue) head, \(Shown.count(job.shape.inputs, "input")),"
            + " \(Shown.count(job.shape.layers, "layer")), scaling \(job.manifest.scaling.rawValue);"
            + " \(Shown.count(search.trials, "trial")): " + parts.joined(separator: ", ")
    }

    static func rung(_ number: Int, of count: Int, _ rows: [TuningResult.Row]) -> String {
        let epochs = Shown.count(rows.map(\.epochs).max() ?? 0, "epoch")
        let text = "rung \(number) of \(count): \(Shown.count(rows.count, "trial")), up to \(epochs)"
        guard let best = rows.first, let loss = best.loss else { return text + ", all diverged" }
        return text + ", best loss \(Self.loss(loss)) of trial \(best.trial.number)"
    }

    /// The standings, and what repeats the best without a search.
    static func result(_ result: TuningResult) -> String {
        var table = TextTable([
            .right("trial"), .right("chunk"), .right("hidden"), .right("rate"), .left("policy"), .right("epochs"),
            .right("loss"), .right("rung"),
        ])
        for row in result.standings {
            let trial = row.trial
            table.add([
                "\(trial.number)", "\(trial.chunk)", "\(trial.hidden)", "\(trial.learningRate)", trial.carry.rawValue,
                "\(row.epochs)", row.loss.map(Self.loss) ?? "diverged", "\(row.rung)",
            ])
        }
        let best = result.best
        let (carry, chunk, rate) = (best.carry.rawValue, best.chunk, best.learningRate)
        return table.text + """
            trial \(best.number) is trained in full; the same without --tune:
              --carry \(carry) --chunk \(chunk) --learning-rate \(rate) --hidden \(best.hidden)
            or in the configuration:
              train: {carry: \(carry), chunk: \(chunk), learning_rate: \(rate)}
              model: {hidden: \(best.hidden)}
            """
    }

    private static func loss(_ loss: Double) -> String { String(format: abs(loss) < 1e6 ? "%.5f" : "%.5g", loss) }
}
