internal import SluiceCore
internal import SluiceTraining

/// A line for each fold, and how they spread.
struct FoldsSection {
    private let folds: [FoldResult]
    private let by: HoldOut

    init(_ folds: [FoldResult], _ by: HoldOut) {
        self.folds = folds
        self.by = by
    }

    var html: HTML {
        let accuracies = folds.contains { $0.carried.accuracy != nil }
        var table = Table([
            .number("fold"), .text(by == .time ? "measured from" : "streams held out"), .number("trained on"),
            .number("measured on"), .number("epochs"), .number("loss"), .number("carried loss"),
            .number(accuracies ? "accuracy" : "against last value"),
        ])
        func last(_ fold: FoldResult) -> Double? { accuracies ? fold.carried.accuracy : fold.naiveRatio }
        for fold in folds {
            table.add([
                "\(fold.fold)",
                "<span class=\"whole\">\(fold.from.map(Timestamp.text) ?? String(fold.streams))</span>",
                "\(NumberText.count(fold.trainedRows))", "\(NumberText.count(fold.testedRows))",
                "\(fold.epochs) <small>(\(fold.bestEpoch))</small>", "\(NumberText.significant(fold.validation))",
                "\(NumberText.significant(fold.carried.loss))", "\(NumberText.percent(last(fold)))",
            ])
        }
        let spreads = [folds.map(\.validation), folds.map(\.carried.loss), folds.map(last)].map(FoldSpread.init)
        for (name, value) in [("mean", \FoldSpread.mean), ("deviation", \.deviation)] {
            table.sum([
                "", "\(name)", "", "", "", "\(NumberText.significant(spreads[0]?[keyPath: value]))",
                "\(NumberText.significant(spreads[1]?[keyPath: value]))",
                "\(NumberText.percent(spreads[2]?[keyPath: value]))",
            ])
        }
        let chart = BarChart(
            "Carried loss by fold", [.init("carried loss", style: "a")],
            folds.map { .init("fold \($0.fold)", [$0.carried.loss]) })
        return "<p>\(explanation)</p>\n\(chart.svg)\(table.html)"
    }

    private var explanation: String {
        let common =
            " Each chose its epoch (in brackets) by the loss on validation rows of its own, and is measured on rows "
            + "that neither training nor that choice has seen, with the state carried as in service."
        return switch by {
        case .time:
            "A back-test: each fold was trained on everything before its part in time, as if it had been trained then, "
                + "and replayed over that part." + common
        case .stream: "Each fold was trained without a group of streams and measured on these." + common
        }
    }
}
