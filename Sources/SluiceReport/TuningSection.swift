internal import SluiceLSTM
internal import SluiceTraining

/// A search: what its trials came to, drawn and as a table.
struct TuningSection {
    /// Of trials that are drawn as bars.
    private static let barsMaximum = 20

    private let tuning: TuningResult
    private let standings: [TuningResult.Row]
    /// The trial that the model is of where the search was cut short.
    private let standby: TuningTrial?

    init(_ tuning: TuningResult, standby: TuningTrial? = nil) {
        self.tuning = tuning
        self.standby = standby
        standings = tuning.standings
    }

    var html: HTML { "<p>\(text)</p>\n\(figure)\(table)" }

    private var chosen: TuningTrial { standby ?? tuning.best }

    private var text: String {
        let outcome =
            standby == nil
            ? "Trial \(chosen.number) was trained in full. "
            : "The run was interrupted before the model's own training: the model is trial \(chosen.number) as it was. "
        return
            "Successive halving over \(standings.count) trials: the best third of a rung goes on to three times "
            + "as many epochs. " + outcome + "Losses are those of the validation part, which the choice has seen, with "
            + "the state carried as in service."
    }

    /// Where trials have gone on, the loss of each at the end of each rung; else what each came to.
    private var figure: HTML {
        let isClimbing = Set(tuning.rows.map(\.epochs).filter { $0 > 0 }).count > 1
        return isClimbing ? lines.svg : bars.svg
    }

    private var lines: LineChart {
        let ofTrial = Dictionary(grouping: tuning.rows, by: \.trial.number)
        var named: Set<CarryPolicy> = []
        // The chosen one is drawn over the others.
        let others = standings.map(\.trial).filter { $0.number != chosen.number }
        return LineChart(
            "Validation loss of each trial at the end of each rung", horizontal: "epochs trained",
            (others + [chosen]).map { trial in
                let rows = (ofTrial[trial.number] ?? []).sorted { $0.rung < $1.rung }
                let points = rows.compactMap { row in row.loss.map { (x: row.epochs, y: $0) } }
                let isChosen = trial.number == chosen.number
                let isNamed = !isChosen && named.insert(trial.carry).inserted
                return LineChart.Line(
                    Self.name(trial), style: isChosen ? "d" : Self.style(trial.carry), points,
                    legend: isChosen ? "trial \(trial.number), the best" : isNamed ? trial.carry.rawValue : nil)
            })
    }

    private var bars: BarChart {
        let policies = CarryPolicy.allCases
        return BarChart(
            "Validation loss of the best trials", policies.map { .init($0.rawValue, style: Self.style($0)) },
            standings.prefix(Self.barsMaximum).map { row in
                BarChart.Group(
                    "trial \(row.trial.number)", policies.map { $0 == row.trial.carry ? row.loss : nil })
            })
    }

    private static func style(_ policy: CarryPolicy) -> String {
        switch policy {
        case .perBatch: "a"
        case .acrossBatches: "b"
        case .acrossSequences: "c"
        }
    }

    private static func name(_ trial: TuningTrial) -> String {
        "trial \(trial.number), chunk \(trial.chunk), hidden \(trial.hidden), learning rate \(trial.learningRate), "
            + trial.carry.rawValue
    }

    private var table: HTML {
        var table = Table([
            .number("trial"), .number("chunk"), .number("hidden"), .number("learning rate"), .text("carry"),
            .number("epochs"), .number("carried loss"), .number("rung"),
        ])
        for row in standings {
            let trial = row.trial
            table.add(
                [
                    "\(trial.number)", "\(trial.chunk)", "\(trial.hidden)", "\(String(trial.learningRate))",
                    "\(trial.carry.rawValue)", "\(row.epochs)",
                    row.loss.map { "\(NumberText.significant($0))" } ?? "diverged", "\(row.rung)",
                ], isChosen: trial.number == chosen.number)
        }
        return table.html
    }
}
