/// Groups of horizontal bars from zero, as inline SVG: names of any length, readable on paper.
package struct BarChart {
    package struct Bar {
        package let name: String
        /// The style's class: `a` to `f`.
        package let style: String

        package init(_ name: String, style: String) {
            self.name = name
            self.style = style
        }
    }

    package struct Group {
        package let name: String
        /// One for each bar; nil: there is none.
        package let values: [Double?]

        package init(_ name: String, _ values: [Double?]) {
            self.name = name
            self.values = values
        }
    }

    private static let (width, left, right) = (760.0, 150.0, 690.0)
    private static let (thickness, gap) = (13.0, 12.0)
    private static let nameMaximum = 22

    let title: String
    let bars: [Bar]
    let groups: [Group]
    /// A value to be marked through all groups, and what it is.
    let mark: (value: Double, text: String)?
    /// The axis reaches this far at least.
    let reach: Double
    let text: (Double) -> String

    package init(
        _ title: String, _ bars: [Bar], _ groups: [Group], mark: (value: Double, text: String)? = nil,
        reach: Double = 0, text: @escaping (Double) -> String = { NumberText.significant($0) }
    ) {
        self.title = title
        self.bars = bars
        self.groups = groups
        self.mark = mark
        self.reach = reach
        self.text = text
    }

    package var svg: HTML {
        let axis = Axis(groups.flatMap(\.values).compactMap(\.self) + [mark?.value ?? 0, reach], includesZero: true)
        func x(_ value: Double) -> Double { axis.place(value, from: Self.left, to: Self.right) }
        let step = Double(bars.count) * Self.thickness + Self.gap
        // Room for the legend and the mark's name.
        let top = bars.count > 1 || mark != nil ? 30.0 : 8
        let bottom = top + Double(groups.count) * step
        var body: HTML = ""
        for tick in axis.ticks {
            body += """
                <line class="grid" x1="\(x(tick))" x2="\(x(tick))" y1="\(top)" y2="\(bottom)"/>
                <text class="tick middle" x="\(x(tick))" y="\(bottom + 16)">\(text(tick))</text>

                """
        }
        if let mark {
            body += """
                <line class="mark" x1="\(x(mark.value))" x2="\(x(mark.value))" y1="\(top - 4)" y2="\(bottom)"/>
                <text class="note middle" x="\(x(mark.value))" y="\(top - 9)">\(mark.text)</text>

                """
        }
        for (index, group) in groups.enumerated() {
            let y = top + Self.gap / 2 + Double(index) * step
            body += """
                <text class="label end" x="\(Self.left - 10)" y="\(y + (step - Self.gap) / 2 + 4)">\
                \(Self.short(group.name))<title>\(group.name)</title></text>

                """
            for (place, value) in zip(bars.indices, group.values) {
                guard let value, value.isFinite else { continue }
                let y = y + Double(place) * Self.thickness
                body += """
                    <rect class="bar \(bars[place].style)" x="\(x(min(0, value)))" y="\(y)" \
                    width="\(abs(x(value) - x(0)))" height="\(Self.thickness - 2)" rx="1.5"/>
                    <text class="value" x="\(x(max(0, value)) + 5)" y="\(y + Self.thickness - 3.5)">\
                    \(text(value))</text>

                    """
            }
        }
        return """
            <svg class="chart" viewBox="0 0 \(Self.width) \(bottom + 24)" role="img">
            <title>\(title)</title>
            \(legend)\(body)</svg>

            """
    }

    private var legend: HTML {
        guard bars.count > 1 else { return "" }
        var (html, x) = (HTML(raw: ""), Self.left)
        for bar in bars {
            html += """
                <rect class="bar \(bar.style)" x="\(x)" y="6" width="11" height="11" rx="1.5"/>
                <text class="label" x="\(x + 17)" y="16">\(bar.name)</text>

                """
            x += 42 + 6.6 * Double(bar.name.count)
        }
        return html
    }

    private static func short(_ name: String) -> String {
        name.count <= nameMaximum ? name : name.prefix(nameMaximum - 1) + "…"
    }
}
