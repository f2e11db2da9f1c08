internal import SluiceAdmin
internal import SluiceTraining

/// A search for machines: one object a trial and rung, `"trial": …`, and one for what is trained in full,
/// `"best_trial": …`.
enum TuningJSON {
    static func row(_ row: TuningResult.Row) -> String {
        var json = JSONWriter()
        json.object {
            $0.member("trial", row.trial.number)
            settings(row.trial, &$0)
            $0.member("rung", row.rung)
            $0.member("epochs", row.epochs)
            $0.member("loss", row.loss)
        }
        return json.text
    }

    static func best(_ trial: TuningTrial) -> String {
        var json = JSONWriter()
        json.object {
            $0.member("best_trial", trial.number)
            settings(trial, &$0)
        }
        return json.text
    }

    private static func settings(_ trial: TuningTrial, _ json: inout JSONWriter) {
        json.member("chunk", trial.chunk)
        json.member("hidden", trial.hidden)
        json.member("learning_rate", trial.learningRate)
        json.member("carry", trial.carry.rawValue)
    }
}
