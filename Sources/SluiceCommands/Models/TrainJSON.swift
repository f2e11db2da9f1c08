internal import SluiceAdmin
internal import SluiceLSTM
internal import SluiceService
internal import SluiceTraining

/// Training for machines: one object an epoch and a fold, and one at the end with `"done": true`.
struct TrainJSON: TrainReport {
    let console: Console

    func read(_ observations: Int, _ streams: Int, _ rejects: [String: (count: Int, message: String)]) {}

    /// The document at the end tells of them.
    func commands(_ commands: DataManifest.Commands) {}

    /// The document at the end names them.
    func constant(_ inputs: [String]) {}

    /// So does it these numbers; whoever reads JSON need not look for warnings there.
    func divided(_ division: DataDivision) {
        for warning in division.warnings { console.errorLine(warning) }
    }

    func fold(_ fold: FoldResult, of folds: Int) { console.line(JSONWriter.text(of: FoldDocument(fold, folds))) }

    func rung(_ rung: Int, of count: Int, _ rows: [TuningResult.Row]) {
        for row in rows { console.line(TuningJSON.row(row)) }
    }

    func tuned(_ result: TuningResult) { console.line(TuningJSON.best(result.best)) }

    func epoch(_ epoch: TrainingProgress.Epoch, rate: Double) {
        console.line(JSONWriter.text(of: EpochDocument(epoch, rate: rate)))
    }

    /// A line between epochs.
    static func tell(_ phase: String, epoch: Int? = nil, of epochs: Int? = nil) {
        var json = JSONWriter()
        json.object {
            $0.member("phase", phase)
            $0.member("epoch", epoch)
            $0.member("epochs", epochs)
        }
        Console.current.line(json.text)
    }

    func done(_ outcome: TrainingJob.Outcome, path: String, run: String?) {
        console.line(JSONWriter.text(of: OutcomeDocument(outcome, path: path, run: run)))
    }

    /// The content of `metrics.json`. It does not say where anything is: it may be moved.
    static func metrics(_ outcome: TrainingJob.Outcome) -> String {
        var json = JSONWriter()
        json.object {
            $0.member("epochs", outcome.result.epochs.map { EpochDocument($0, rate: nil) })
            $0.member("folds", outcome.folds.map { FoldDocument($0, outcome.folds.count) })
            $0.member("result", OutcomeDocument(outcome, path: nil, run: nil))
        }
        return json.text
    }
}

private struct EpochDocument: JSONWritable {
    let epoch: TrainingProgress.Epoch
    /// Observations a second.
    let rate: Double?

    init(_ epoch: TrainingProgress.Epoch, rate: Double?) {
        self.epoch = epoch
        self.rate = rate
    }

    func write(to json: inout JSONWriter) {
        json.object {
            $0.member("epoch", epoch.epoch)
            $0.member("carry", epoch.policy.rawValue)
            $0.member("train", EvaluationDocument(epoch.train))
            $0.member("validation", epoch.validation.map(EvaluationDocument.init))
            if let rate { $0.member("observations_per_second", rate.rounded()) }
        }
    }
}

private struct OutcomeDocument: JSONWritable {
    let outcome: TrainingJob.Outcome
    let path: String?
    let run: String?

    init(_ outcome: TrainingJob.Outcome, path: String?, run: String?) {
        self.outcome = outcome
        self.path = path
        self.run = run
    }

    func write(to json: inout JSONWriter) {
        let result = outcome.result
        json.object {
            $0.member("done", true)
            if let path { $0.member("model", path) }
            if let run { $0.member("run", run) }
            $0.member("version", result.model.manifest.version)
            $0.member("sha256", result.model.hash)
            $0.member("best_epoch", result.bestEpoch)
            $0.member("stop", Self.name(result.stop))
            if case .diverged(let epoch, let batch) = result.stop {
                $0.member("diverged", [epoch, batch])
            }
            $0.member("measured", result.isMeasured)
            if let trial = outcome.standby { $0.member("trial", trial.number) }
            $0.member("observations", outcome.observations)
            $0.member("streams", outcome.streams)
            $0.member("trained", outcome.division.trained)
            $0.member("validated", outcome.division.validated)
            $0.member("tested", outcome.division.tested)
            $0.member("out_of_order", outcome.division.outOfOrder)
            $0.member("rejects", Counts(counts: outcome.rejects.mapValues(\.count)))
            if let commands = result.model.data?.topic?.commands {
                $0.member("commands", CommandsDocument(commands: commands))
            }
            $0.member("constant_inputs", outcome.constantInputs)
            $0.member("carried", result.carryGap.map { EvaluationDocument($0.carried) })
            $0.member("reset_per_chunk", result.carryGap.map { EvaluationDocument($0.resetPerChunk) })
            $0.member("carry_gap", result.carryGap?.difference)
            $0.member("incumbent", result.incumbent.map(EvaluationDocument.init))
            $0.member("test", result.test.map(EvaluationDocument.init))
            $0.member("errors", result.errors.map(ErrorsDocument.init))
            if !outcome.folds.isEmpty { $0.member("folds", FoldsDocument(outcome.folds)) }
        }
    }

    private static func name(_ stop: TrainingResult.Stop) -> String {
        switch stop {
        case .completed: "completed"
        case .early: "early"
        case .cancelled: "interrupted"
        case .diverged: "diverged"
        }
    }

    private struct Counts: JSONWritable {
        let counts: [String: Int]

        func write(to json: inout JSONWriter) {
            json.object { for (code, count) in counts.sorted(by: { $0.key < $1.key }) { $0.member(code, count) } }
        }
    }
}

/// Recorded commands among what was trained on.
private struct CommandsDocument: JSONWritable {
    let commands: DataManifest.Commands

    func write(to json: inout JSONWriter) {
        json.object {
            $0.member("topic", commands.topic)
            $0.member("exists", commands.exists)
            $0.member("applied", commands.applied)
        }
    }
}

struct EvaluationDocument: JSONWritable {
    let evaluation: Evaluation

    init(_ evaluation: Evaluation) { self.evaluation = evaluation }

    func write(to json: inout JSONWriter) {
        json.object {
            $0.member("loss", evaluation.loss)
            $0.member("accuracy", evaluation.accuracy)
            $0.member("count", evaluation.count)
        }
    }
}
