/// A table, with a heading where its columns have names; numbers to the right.
package struct Table {
    package struct Column {
        let heading: String
        let isNumber: Bool

        package static func text(_ heading: String) -> Column { Column(heading: heading, isNumber: false) }
        package static func number(_ heading: String) -> Column { Column(heading: heading, isNumber: true) }
    }

    private let columns: [Column]
    private var rows: HTML = ""
    private var foot: HTML = ""

    package init(_ columns: [Column]) { self.columns = columns }

    package mutating func add(_ cells: [HTML], isChosen: Bool = false) {
        rows += "<tr\(isChosen ? " class=\"chosen\"" : "" as HTML)>\(line(cells))</tr>\n"
    }

    package mutating func sum(_ cells: [HTML]) { foot += "<tr>\(line(cells))</tr>\n" }

    private func line(_ cells: [HTML]) -> HTML {
        zip(columns, cells).map { "<td\($0.isNumber ? " class=\"number\"" : "" as HTML)>\($1)</td>" as HTML }.joined()
    }

    package var html: HTML {
        let heading = columns.map {
            "<th\($0.isNumber ? " class=\"number\"" : "" as HTML)>\($0.heading)</th>" as HTML
        }.joined()
        return """
            <div class="scroll"><table>
            \(columns.allSatisfy(\.heading.isEmpty) ? "" : "<thead><tr>\(heading)</tr></thead>\n" as HTML)<tbody>
            \(rows)</tbody>
            \(foot.text.isEmpty ? "" : "<tfoot>\n\(foot)</tfoot>\n" as HTML)</table></div>

            """
    }
}
