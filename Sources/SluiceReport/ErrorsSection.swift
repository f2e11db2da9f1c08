internal import SluiceTraining

/// Errors by target and horizon beside what costs nothing, and the coverage of the interval.
struct ErrorsSection {
    /// Of bars: of more targets the table tells.
    private static let targetsMaximum = 12

    private let errors: ServedErrors

    init(_ errors: ServedErrors) { self.errors = errors }

    var html: HTML {
        var html: HTML = """
            <p>Mean absolute errors on the \(errors.part.rawValue) rows, in the target's own units, with the state \
            carried as in service; beside them, on the same rows, what costs nothing: the last value seen\
            \(errors.season.map { ", and the value one season (a day, \($0) observations) before" } ?? "").</p>

            """
        html += reading
        var targets: [String] = []
        for horizon in errors.horizons where targets.last != horizon.target { targets.append(horizon.target) }
        for target in targets.prefix(Self.targetsMaximum) { html += bars(target, isAlone: targets.count == 1) }
        if targets.count > Self.targetsMaximum {
            html +=
                "<p class=\"aside\">The first \(Self.targetsMaximum) of \(targets.count); the table has all.</p>\n"
        }
        html += table
        if let nominal = errors.nominalCoverage { html += coverage(nominal) }
        return html
    }

    private var reading: HTML {
        guard let ratio = errors.naiveRatio else { return "" }
        let share = NumberText.percent(abs(1 - ratio), places: 0)
        return ratio < 1
            ? "<p class=\"reading\">On average \(share) smaller errors than those of the last value.</p>\n"
            : """
            <p class="reading warn">On average \(share) larger errors than those of the last value: as it is, that is \
            the better forecast.</p>

            """
    }

    private func bars(_ target: String, isAlone: Bool) -> HTML {
        let seasonal = errors.season != nil
        let own = errors.horizons.filter { $0.target == target }
        let chart = BarChart(
            "Errors of \(target)",
            [.init("model", style: "a"), .init("last value", style: "c")]
                + (seasonal ? [.init("season before", style: "b")] : []),
            own.map {
                .init(
                    "\($0.horizon) ahead", [$0.meanAbsoluteError, $0.naiveError] + (seasonal ? [$0.seasonalError] : []))
            })
        return "\(isAlone ? "" : "<h3>\(target)</h3>\n" as HTML)\(chart.svg)"
    }

    private var table: HTML {
        var table = Table([
            .text("target"), .number("ahead"), .number("forecasts"), .number("MAE"), .number("RMSE"),
            .number("last value"), .number("against it"), .number("season before"), .number("covered"),
        ])
        for one in errors.horizons {
            let style: HTML = one.naiveRatio.map { $0 < 1 } ?? true ? "better" : "worse"
            table.add([
                "\(one.target)", "\(one.horizon)", "\(NumberText.count(one.count))",
                "\(NumberText.significant(one.meanAbsoluteError))",
                "\(NumberText.significant(one.rootMeanSquareError))",
                "\(NumberText.significant(one.naiveError))",
                "<span class=\"\(style)\">\(NumberText.percent(one.naiveRatio, places: 0))</span>",
                "\(NumberText.significant(one.seasonalError))",
                "\(errors.nominalCoverage == nil ? "–" : NumberText.percent(one.coverage))",
            ])
        }
        return table.html
    }

    private func coverage(_ nominal: Double) -> HTML {
        let several = Set(errors.horizons.map(\.target)).count > 1
        let chart = BarChart(
            "Coverage of the interval", [.init("covered", style: "a")],
            errors.horizons.prefix(4 * Self.targetsMaximum).map {
                .init((several ? "\($0.target), " : "") + "\($0.horizon) ahead", [$0.count > 0 ? $0.coverage : nil])
            }, mark: (nominal, "should be \(NumberText.percent(nominal))"), reach: 1, text: { NumberText.percent($0) })
        return """
            <h3>Coverage of the interval</h3>
            <p>The share of what came that lay between the outermost quantiles, or within the middle 80 % of \
            a Gaussian.</p>
            \(chart.svg)
            """
    }
}
