internal import SluiceTraining

/// The standings of a search.
struct TuningSection {
    private let tuning: TuningResult

    init(_ tuning: TuningResult) { self.tuning = tuning }

    var html: HTML {
        var table = Table([
            .number("trial"), .number("chunk"), .number("hidden"), .number("learning rate"), .text("carry"),
            .number("epochs"), .number("carried loss"), .number("rung"),
        ])
        for row in tuning.standings {
            let trial = row.trial
            table.add([
                "\(trial.number)", "\(trial.chunk)", "\(trial.hidden)", "\(trial.learningRate)",
                "\(trial.carry.rawValue)", "\(row.epochs)",
                row.loss.map { "\(NumberText.significant($0))" } ?? "diverged", "\(row.rung)",
            ])
        }
        let text =
            "Successive halving over \(tuning.standings.count) trials: the best third of a rung goes on to three times "
            + "as many epochs. Trial \(tuning.best.number) was trained in full. Losses are those of the validation "
            + "part, which the choice has seen, with the state carried as in service."
        return "<p>\(text)</p>\n\(table.html)"
    }
}
