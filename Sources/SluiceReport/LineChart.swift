/// Lines over one horizontal axis of whole numbers, as inline SVG; the page's style gives the colours.
package struct LineChart {
    package struct Line {
        package let name: String
        /// The style's class: `a` to `f`.
        package let style: String
        /// Points by their number on the axis.
        package let points: [(x: Int, y: Double)]
        /// What stands beside the style in the legend; nil: another line of the style says it.
        package let legend: String?

        package init(_ name: String, style: String, _ points: [(x: Int, y: Double)]) {
            self.init(name, style: style, points, legend: name)
        }

        package init(_ name: String, style: String, _ points: [(x: Int, y: Double)], legend: String?) {
            self.name = name
            self.style = style
            self.points = points
            self.legend = legend
        }
    }

    /// Of the horizontal axis.
    package enum Scale {
        /// From 1 on, with round numbers marked.
        case linear
        /// From the smallest number of the lines to the largest, each marked; all are above zero.
        case logarithmic
    }

    private static let (width, height) = (760.0, 300.0)
    private static let (left, right, top, bottom) = (64.0, 744.0, 30.0, 262.0)
    private static let legendRow = 18.0

    let title: String
    let horizontal: String
    let lines: [Line]
    /// A number to be marked, and what it is.
    let mark: (x: Int, text: String)?
    let scale: Scale
    /// Whether the vertical axis does.
    let includesZero: Bool

    package init(
        _ title: String, horizontal: String, _ lines: [Line], mark: (x: Int, text: String)? = nil,
        scale: Scale = .linear, includesZero: Bool = false
    ) {
        self.title = title
        self.horizontal = horizontal
        self.lines = lines
        self.mark = mark
        self.scale = scale
        self.includesZero = includesZero
    }

    package var svg: HTML {
        let numbers = lines.flatMap(\.points).map(\.x)
        let across = scale == .linear ? Axis(upTo: numbers.max() ?? 1) : Axis(logarithmic: numbers)
        let up = Axis(lines.flatMap(\.points).map(\.y), includesZero: includesZero)
        func x(_ value: Int) -> Double { across.place(Double(value), from: Self.left, to: Self.right) }
        func y(_ value: Double) -> Double { up.place(value, from: Self.bottom, to: Self.top) }
        var body: HTML = ""
        for tick in up.ticks {
            body += """
                <line class="grid" x1="\(Self.left)" x2="\(Self.right)" y1="\(y(tick))" y2="\(y(tick))"/>
                <text class="tick end" x="\(Self.left - 8)" y="\(y(tick) + 4)">\(NumberText.significant(tick))</text>

                """
        }
        for tick in across.ticks {
            let text = scale == .linear ? String(Int(tick)) : NumberText.count(Int(tick))
            // A long number at the chart's edge would be cut.
            let anchor = text.count > 4 && x(Int(tick)) == Self.right ? "end" : "middle"
            body += """
                <text class="tick \(anchor)" x="\(x(Int(tick)))" y="\(Self.bottom + 20)">\(text)</text>

                """
        }
        body += """
            <text class="tick middle" x="\((Self.left + Self.right) / 2)" y="\(Self.height - 2)">\(horizontal)</text>

            """
        if let mark {
            // On the side with room.
            let isLeft = mark.x <= Int(across.range.upperBound) / 2
            body += """
                <line class="mark" x1="\(x(mark.x))" x2="\(x(mark.x))" y1="\(Self.top)" y2="\(Self.bottom)"/>
                <text class="note\(isLeft ? "" : " end")" x="\(x(mark.x) + (isLeft ? 6 : -6))" y="\(Self.top + 12)">\
                \(mark.text)</text>

                """
        }
        for line in lines { body += path(line, x, y) }
        let legend = legend
        // Further rows of the legend stand above all else.
        let above = Double(legend.rows - 1) * Self.legendRow
        return """
            <svg class="chart" viewBox="0 \(-above) \(Self.width) \(Self.height + above)" role="img">
            <title>\(title)</title>
            \(legend.html)\(body)</svg>

            """
    }

    private func path(_ line: Line, _ x: (Int) -> Double, _ y: (Double) -> Double) -> HTML {
        let points = line.points.filter(\.y.isFinite)
        var html: HTML = ""
        if points.count > 1 {
            let corners = points.map { "\(x($0.x)),\(y($0.y))" as HTML }.joined(" ")
            html += """
                <polyline class="line \(line.style)" points="\(corners)"/>

                """
        }
        // More of them would be a thick line; the values are shown where the pointer rests.
        guard points.count <= 60 else { return html }
        for point in points {
            html += """
                <circle class="dot \(line.style)" cx="\(x(point.x))" cy="\(y(point.y))" r="2.6">\
                <title>\(line.name), \(horizontal) \(point.x): \(NumberText.significant(point.y, digits: 5))\
                </title></circle>

                """
        }
        return html
    }

    /// The last of its rows is at the chart's top.
    private var legend: (html: HTML, rows: Int) {
        var places: [(x: Double, row: Int)] = []
        var (x, row) = (Self.left, 0)
        let named = lines.compactMap { line in line.legend.map { (name: $0, style: line.style) } }
        for line in named {
            let width = 48 + 6.6 * Double(line.name.count)
            if x > Self.left, x + width > Self.width { (x, row) = (Self.left, row + 1) }
            places.append((x, row))
            x += width
        }
        var html: HTML = ""
        for (line, place) in zip(named, places) {
            let y = 12 - Double(row - place.row) * Self.legendRow
            html += """
                <line class="line \(line.style)" x1="\(place.x)" x2="\(place.x + 18)" y1="\(y)" y2="\(y)"/>
                <text class="label" x="\(place.x + 24)" y="\(y + 4)">\(line.name)</text>

                """
        }
        return (html, row + 1)
    }
}
