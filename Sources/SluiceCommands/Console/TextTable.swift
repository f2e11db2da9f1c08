/// Columns of text, aligned; headings in capitals.
struct TextTable {
    enum Alignment {
        case left
        case right
    }

    struct Column {
        let heading: String
        let alignment: Alignment

        static func left(_ heading: String) -> Column { Column(heading: heading, alignment: .left) }
        static func right(_ heading: String) -> Column { Column(heading: heading, alignment: .right) }
    }

    let columns: [Column]
    private(set) var rows: [[String]] = []

    init(_ columns: [Column]) { self.columns = columns }

    mutating func add(_ row: [String]) {
        precondition(row.count == columns.count)
        rows.append(row.map(\.printable))
    }

    /// Heading and rows, each line ended, without spaces at the ends of lines.
    var text: String {
        let lines = [columns.map { $0.heading.uppercased() }] + rows
        let widths = columns.indices.map { column in lines.map { $0[column].count }.max() ?? 0 }
        return lines.map { line in
            let cells = columns.indices.map { column in
                let padding = String(repeating: " ", count: widths[column] - line[column].count)
                return columns[column].alignment == .left ? line[column] + padding : padding + line[column]
            }
            var text = cells.joined(separator: "  ")
            while text.last == " " { text.removeLast() }
            return text + "\n"
        }.joined()
    }
}

extension String {
    /// The same text harmless to a terminal: stream keys are other people's bytes and may hold escape sequences.
    var printable: String {
        guard unicodeScalars.contains(where: { $0.properties.generalCategory == .control }) else { return self }
        return unicodeScalars.map { scalar in
            scalar.properties.generalCategory == .control
                ? "\\u{\(String(scalar.value, radix: 16))}" : String(scalar)
        }.joined()
    }
}
