internal import Foundation
internal import SluiceLSTM
internal import SluiceService
internal import SluiceTraining

/// Training as people read it.
struct TrainText: TrainReport {
    let console: Console
    let job: TrainingJob
    /// Of a search; nil without.
    let trials: Int?

    func read(_ observations: Int, _ streams: Int, _ rejects: [String: (count: Int, message: String)]) {
        console.line("\(Shown.count(observations, "observation")) of \(Shown.count(streams, "stream"))")
        for (code, reject) in rejects.sorted(by: { $0.key < $1.key }) {
            let count = Shown.count(reject.count, "reject")
            console.errorLine("\(count) \(code), the first: \(reject.message.printable)")
        }
        if let trials { return console.line(TuningText.announce(trials, job)) }
        let (shape, training) = (job.shape, job.training)
        let policies = training.carry.prefix(training.epochs).map(\.rawValue)
        let runs = policies.reduce(into: [String]()) { if $0.last != $1 { $0.append($1) } }
        console.line(
            "\(job.manifest.head.rawValue) head, \(Shown.count(shape.inputs, "input")), hidden \(shape.hidden),"
                + " \(Shown.count(shape.layers, "layer")), scaling \(job.manifest.scaling.rawValue);"
                + " carry \(runs.joined(separator: " then "))")
    }

    func rung(_ rung: Int, of count: Int, _ rows: [TuningResult.Row]) {
        console.line(TuningText.rung(rung, of: count, rows))
    }

    func tuned(_ result: TuningResult) { console.line(TuningText.result(result)) }

    func epoch(_ epoch: TrainingProgress.Epoch, rate: Double) {
        var text = String(format: "epoch %3d  train %.5f", epoch.epoch, epoch.train.loss)
        if let validation = epoch.validation { text += String(format: "  validation %.5f", validation.loss) }
        if let accuracy = epoch.validation?.accuracy ?? epoch.train.accuracy {
            text += String(format: "  accuracy %.4f", accuracy)
        }
        console.line(text + "  " + ProgressBar.rate(rate, per: 1))
    }

    func done(_ outcome: TrainingJob.Outcome, path: String, version: String, hash: String) {
        let result = outcome.result
        switch result.stop {
        case .completed: break
        case .early: console.line("stopped early: no better validation loss for \(job.training.patience) epochs")
        case .cancelled: console.line("interrupted: the best model so far is written")
        case .diverged(let epoch, let batch):
            console.errorLine(
                "training diverged in epoch \(epoch), batch \(batch): the model is the best before it; a smaller"
                    + " --learning-rate may help")
        }
        if let gap = result.carryGap { carryGap(gap, chunk: outcome.training.chunk) }
        if let incumbent = result.incumbent, let gap = result.carryGap {
            console.line(
                String(
                    format: "incumbent: validation loss %.5f, this model %.5f", incumbent.loss, gap.carried.loss))
        }
        if let test = result.test {
            let accuracy = test.accuracy.map { String(format: ", accuracy %.4f", $0) } ?? ""
            console.line(String(format: "test: loss %.5f", test.loss) + accuracy)
        }
        let best = result.bestEpoch > 0 ? "epoch \(result.bestEpoch)" : "an unfinished first epoch"
        console.line("wrote \(path): version \(version), from \(best), sha256 \(hash)")
    }

    private func carryGap(_ gap: CarryGap, chunk: Int) {
        console.line(
            String(
                format: "carry gap: validation loss %.5f with the state carried, %.5f with it reset every %d steps",
                gap.carried.loss, gap.resetPerChunk.loss, chunk))
        console.line("  " + Self.reading(gap))
    }

    /// What the gap says, in one line.
    static func reading(_ gap: CarryGap) -> String {
        let (carried, reset) = (gap.carried.loss, gap.resetPerChunk.loss)
        guard carried.isFinite, reset.isFinite else { return "no judgement: nothing to compare" }
        let scale = max(abs(carried), abs(reset))
        let percent = scale > 0 ? Int((100 * abs(gap.difference) / scale).rounded()) : 0
        if percent < 1 { return "carrying changes next to nothing: no more memory is needed than one chunk holds" }
        if gap.difference < 0 {
            return "carrying, as 'serve' does, lowers the loss by \(percent) %: the policy suits it"
        }
        return "carrying, as 'serve' does, raises the loss by \(percent) %: train with --carry across-batches, or"
            + " declare boundaries"
    }
}
