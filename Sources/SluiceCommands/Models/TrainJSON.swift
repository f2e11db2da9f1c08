internal import SluiceAdmin
internal import SluiceService
internal import SluiceTraining

/// Training for machines: one object an epoch, and one at the end with `"done": true`.
struct TrainJSON: TrainReport {
    let console: Console

    func read(_ observations: Int, _ streams: Int, _ rejects: [String: (count: Int, message: String)]) {}

    func rung(_ rung: Int, of count: Int, _ rows: [TuningResult.Row]) {
        for row in rows { console.line(TuningJSON.row(row)) }
    }

    func tuned(_ result: TuningResult) { console.line(TuningJSON.best(result.best)) }

    func epoch(_ epoch: TrainingProgress.Epoch, rate: Double) {
        var json = JSONWriter()
        json.object {
            $0.member("epoch", epoch.epoch)
            $0.member("carry", epoch.policy.rawValue)
            $0.member("train", Measured(epoch.train))
            $0.member("validation", epoch.validation.map(Measured.init))
            $0.member("observations_per_second", rate.rounded())
        }
        console.line(json.text)
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

    func done(_ outcome: TrainingJob.Outcome, path: String, version: String, hash: String) {
        let result = outcome.result
        var json = JSONWriter()
        json.object {
            $0.member("done", true)
            $0.member("model", path)
            $0.member("version", version)
            $0.member("sha256", hash)
            $0.member("best_epoch", result.bestEpoch)
            $0.member("stop", Self.name(result.stop))
            $0.member("observations", outcome.observations)
            $0.member("streams", outcome.streams)
            $0.member("rejects", Counts(counts: outcome.rejects.mapValues(\.count)))
            $0.member("carried", result.carryGap.map { Measured($0.carried) })
            $0.member("reset_per_chunk", result.carryGap.map { Measured($0.resetPerChunk) })
            $0.member("carry_gap", result.carryGap?.difference)
            $0.member("incumbent", result.incumbent.map(Measured.init))
            $0.member("test", result.test.map(Measured.init))
        }
        console.line(json.text)
    }

    private static func name(_ stop: TrainingResult.Stop) -> String {
        switch stop {
        case .completed: "completed"
        case .early: "early"
        case .cancelled: "interrupted"
        case .diverged: "diverged"
        }
    }

    private struct Measured: JSONWritable {
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

    private struct Counts: JSONWritable {
        let counts: [String: Int]

        func write(to json: inout JSONWriter) {
            json.object { for (code, count) in counts.sorted(by: { $0.key < $1.key }) { $0.member(code, count) } }
        }
    }
}
