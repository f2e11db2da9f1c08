internal import Foundation
internal import SluiceTraining

/// What the forecasts are worth, as people read it.
enum TrainErrors {
    static func show(_ errors: ServedErrors, on console: Console) {
        if let classes = errors.classes {
            console.line(
                String(
                    format: "\(errors.part.rawValue) rows, state carried: accuracy %.4f of %d labels, %.4f by always"
                        + " saying the most frequent one", classes.accuracy, classes.count, classes.majority))
        }
        guard !errors.horizons.isEmpty else { return }
        let season = errors.season.map { "; season: the day before, \($0) observations" } ?? ""
        let interval = errors.nominalCoverage.map { "; covered: of \(percent($0))" } ?? ""
        console.line("\(errors.part.rawValue) rows, state carried; naive: the last value\(season)\(interval)")
        console.out(table(errors).text)
        if let ratio = errors.naiveRatio, !(ratio <= 1) {
            console.errorLine(
                String(format: "worse than the last value: %.3g times its error; ", ratio)
                    + "train longer, lower --learning-rate, or look at the data")
        }
    }

    private static func table(_ errors: ServedErrors) -> TextTable {
        let (hasSeason, hasInterval) = (errors.season != nil, errors.nominalCoverage != nil)
        var table = TextTable(
            [.left("target"), .right("ahead"), .right("forecasts"), .right("mae"), .right("rmse"), .right("naive")]
                + (hasSeason ? [.right("season")] : []) + (hasInterval ? [.right("covered")] : []))
        for one in errors.horizons {
            table.add(
                [
                    one.target, String(one.horizon), String(one.count), number(one.meanAbsoluteError),
                    number(one.rootMeanSquareError), number(one.naiveError),
                ] + (hasSeason ? [number(one.seasonalError)] : []) + (hasInterval ? [percent(one.coverage)] : []))
        }
        return table
    }

    private static func number(_ value: Double?) -> String {
        guard let value, value.isFinite else { return "-" }
        return String(format: "%.4g", value)
    }

    private static func percent(_ share: Double) -> String {
        share.isFinite ? String(format: "%.1f %%", 100 * share) : "-"
    }
}
