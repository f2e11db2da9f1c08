internal import SluiceExperiments
internal import SluiceReport

/// An experiment as a page: its table, what it says, its charts.
enum ExperimentPage {
    private static let styles = ["a", "b", "c", "d", "e", "f"]

    static func html(_ experiment: Experiment, _ report: ExperimentReport, seeds: Int) -> String {
        var page = Page(
            "Experiment \(experiment.name)",
            subtitle: "\(experiment.question) · \(seeds == 1 ? "one seed" : "\(seeds) seeds")")
        var table = Table(report.header.enumerated().map { $0 == 0 ? .text($1) : .number($1) })
        for row in report.rows { table.add(row.map { "\($0)" }) }
        page.section("Outcome", "\(table.html)<p class=\"reading\">\(report.reading)</p>\n")
        for figure in report.figures {
            let lines = figure.lines.enumerated().map { index, line in
                LineChart.Line(
                    line.name, style: styles[index % styles.count], line.points.map { (Int($0.x.rounded()), $0.y) })
            }
            page.section(
                figure.title,
                "<p class=\"aside\">\(figure.y)</p>\n\(LineChart(figure.title, horizontal: figure.x, lines).svg)")
        }
        return page.html
    }
}
