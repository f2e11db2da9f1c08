internal import Foundation
internal import SluiceCore
internal import SluiceLSTM
internal import SluiceService
internal import SluiceTraining

/// Training as people read it.
struct TrainText: TrainReport {
    let console: Console
    let job: TrainingJob
    /// nil without.
    let search: TrainRun.Search?

    func read(_ observations: Int, _ streams: Int, _ rejects: [String: (count: Int, message: String)]) {
        console.line("\(Shown.count(observations, "observation")) of \(Shown.count(streams, "stream"))")
        for (code, reject) in rejects.sorted(by: { $0.key < $1.key }) {
            let count = Shown.count(reject.count, "reject")
            console.errorLine("\(count) \(code), the first: \(reject.message.printable)")
        }
        if job.training.dropout > 0, job.shape.layers == 1 {
            console.errorLine("train.dropout has no effect: it is between layers, and there is one")
        }
        if let search { return console.line(TuningText.announce(search, job)) }
        let (shape, training) = (job.shape, job.training)
        let policies = training.carry.prefix(training.epochs).map(\.rawValue)
        let runs = policies.reduce(into: [String]()) { if $0.last != $1 { $0.append($1) } }
        console.line(
            "\(job.manifest.head.rawValue) head, \(Shown.count(shape.inputs, "input")), hidden \(shape.hidden),"
                + " \(Shown.count(shape.layers, "layer")), scaling \(job.manifest.scaling.rawValue);"
                + " carry \(runs.joined(separator: " then "))")
    }

    func commands(_ commands: DataManifest.Commands) {
        guard commands.exists else {
            return console.errorLine("there is no topic \(commands.topic): no reset is on record")
        }
        guard commands.applied > 0 else { return }
        console.line("boundaries by \(Shown.count(commands.applied, "recorded command")) of \(commands.topic)")
    }

    func constant(_ inputs: [String]) {
        let names = inputs.joined(separator: ", ").printable
        console.errorLine("the same value throughout, from which nothing can be learned: \(names)")
    }

    func divided(_ division: DataDivision) {
        var parts = ["trained on \(division.trained)"]
        if division.validated > 0 { parts.append("validated on \(division.validated)") }
        if division.tested > 0 { parts.append("tested on \(division.tested)") }
        console.line(parts.joined(separator: ", "))
        for warning in division.warnings { console.errorLine(warning) }
    }

    /// To five places, while it is of a size that one can read.
    static func loss(_ loss: Double) -> String {
        String(format: abs(loss) < 1e6 || !loss.isFinite ? "%.5f" : "%.5g", loss)
    }

    func rung(_ rung: Int, of count: Int, _ rows: [TuningResult.Row]) {
        console.line(TuningText.rung(rung, of: count, rows))
    }

    func tuned(_ result: TuningResult) { console.line(TuningText.result(result)) }

    func epoch(_ epoch: TrainingProgress.Epoch, rate: Double) {
        var text = String(format: "epoch %3d  train ", epoch.epoch) + Self.loss(epoch.train.loss)
        if let validation = epoch.validation { text += "  validation " + Self.loss(validation.loss) }
        if let accuracy = epoch.validation?.accuracy ?? epoch.train.accuracy {
            text += String(format: "  accuracy %.4f", accuracy)
        }
        console.line(text + "  " + ProgressBar.rate(rate, per: 1))
    }

    func fold(_ fold: FoldResult, of folds: Int) {
        let part = fold.from.map { "from " + Timestamp.text($0) } ?? Shown.count(fold.streams, "stream")
        var text =
            "fold \(fold.fold) of \(folds)  \(part)  trained on \(fold.trainedRows)  measured on \(fold.testedRows)"
            + "  epochs \(fold.epochs) (best \(fold.bestEpoch))"
        if let loss = fold.validation { text += "  loss " + Self.loss(loss) }
        text += "  carried " + Self.loss(fold.carried.loss)
        if let accuracy = fold.carried.accuracy { text += String(format: "  accuracy %.4f", accuracy) }
        if let ratio = fold.naiveRatio { text += String(format: "  of the last value's %.3f", ratio) }
        console.line(text)
    }

    func done(_ outcome: TrainingJob.Outcome, path: String, run: String?) {
        let result = outcome.result
        switch result.stop {
        case .completed: break
        case .early: console.line("stopped early: no better validation loss for \(job.training.patience) epochs")
        case .cancelled: console.line(Self.interrupted(outcome))
        case .diverged(let epoch, let batch):
            console.errorLine(
                "training diverged in epoch \(epoch), batch \(batch): the model is the best before it; a smaller"
                    + " --learning-rate may help")
        }
        if !result.isMeasured {
            let part = result.errors == nil ? "errors were" : "carry gap and errors were in part"
            console.line("interrupted as it was measured: the model's \(part) not measured")
        }
        if let gap = result.carryGap { carryGap(gap, chunk: outcome.training.chunk) }
        if let incumbent = result.incumbent, let gap = result.carryGap {
            let losses = [incumbent.loss, gap.carried.loss].map(Self.loss)
            console.line("incumbent: validation loss \(losses[0]), this model \(losses[1])")
        }
        if let test = result.test {
            let accuracy = test.accuracy.map { String(format: ", accuracy %.4f", $0) } ?? ""
            console.line("test: loss \(Self.loss(test.loss))" + accuracy)
        }
        if let errors = result.errors { TrainErrors.show(errors, on: console) }
        if !outcome.folds.isEmpty { console.line(Self.spread(outcome.folds)) }
        let best = result.bestEpoch > 0 ? "epoch \(result.bestEpoch)" : "an unfinished first epoch"
        let model = result.model
        console.line("wrote \(path): version \(model.manifest.version), from \(best), sha256 \(model.hash)")
        if let run { console.line("report: \(run)/report.html") }
    }

    private static func interrupted(_ outcome: TrainingJob.Outcome) -> String {
        guard let trial = outcome.standby else { return "interrupted: the best model so far is written" }
        return "interrupted before the model's own training: trial \(trial.number) of the search, the best so far, is"
            + " written as it is after \(Shown.count(outcome.result.epochs.count, "epoch"))"
    }

    private static func spread(_ folds: [FoldResult]) -> String {
        var parts: [String] = []
        func add(_ name: String, _ values: [Double?]) {
            guard let spread = FoldSpread(values) else { return }
            parts.append("\(name) \(loss(spread.mean)) ± \(loss(spread.deviation))")
        }
        add("loss", folds.map(\.validation))
        add("carried", folds.map(\.carried.loss))
        add("accuracy", folds.map(\.carried.accuracy))
        add("of the last value's", folds.map(\.naiveRatio))
        return "\(folds.count) folds: " + parts.joined(separator: ", ")
    }

    private func carryGap(_ gap: CarryGap, chunk: Int) {
        console.line(
            "carry gap: validation loss \(Self.loss(gap.carried.loss)) with the state carried, "
                + "\(Self.loss(gap.resetPerChunk.loss)) with it reset every \(chunk) steps")
        console.line("  " + gap.reading)
    }
}
