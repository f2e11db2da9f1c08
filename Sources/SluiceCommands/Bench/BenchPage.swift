internal import SluiceCore
internal import SluiceReport
internal import SluiceService

/// The engine over its sizes as a page of charts and tables.
struct BenchPage {
    let lines: [EngineSweep.Line]
    /// What measured it.
    let command: String
    /// Whether all was measured.
    var isWhole = true

    var html: String {
        let remark = isWhole ? "" : " · interrupted: not all sizes were measured"
        var page = Page(
            "Throughput of the engine",
            subtitle: "Sluice \(Version.text) · decode, fold and encode without a broker\(remark)")
        page.section("Machine", machine)
        for line in lines where !line.results.isEmpty { page.section(line.size.title, section(line)) }
        return page.html
    }

    private var machine: HTML {
        let facts: [(name: String, value: String)] = [
            ("processor", Machine.processor), ("cores", "\(Machine.cores)"),
            ("instruction set", Machine.instructionSet),
        ]
        let list = facts.map { "<div><dt>\($0.name)</dt><dd>\($0.value)</dd></div>\n" as HTML }.joined()
        return """
            <dl class="facts">
            \(list)</dl>
            <p><code>\(command)</code></p>
            <p class="aside">Each chart varies one size, the others are the defaults: \(defaults). \
            Records are JSON and lie in memory; every stream has its state before time is taken. \
            Best and median of several repetitions.</p>

            """
    }

    private var defaults: String {
        let settings = EngineBench.Settings(seconds: 1)
        return EngineSweep.Size.allCases.map {
            let value = settings.value(of: $0)
            return "\(NumberText.count(value)) \(value == 1 ? $0.one : $0.many)"
        }.joined(separator: ", ") + ", batches of \(NumberText.count(settings.batch))"
    }

    private func section(_ line: EngineSweep.Line) -> HTML {
        func points(_ rate: (EngineBench.Result) -> Double) -> [(x: Int, y: Double)] {
            line.results.map { ($0.settings.value(of: line.size), rate($0) / 1e6) }
        }
        let chart = LineChart(
            "Throughput by \(line.size.many)", horizontal: line.size.many,
            [
                .init("best", style: "a", points(\.recordsPerSecond)), .init("median", style: "c", points(\.median)),
            ], scale: .logarithmic, includesZero: true)
        return """
            <p class="aside">million observations per second</p>
            \(chart.svg)\(table(line))\(line.size == .streams ? memory(line) : "")
            """
    }

    private func table(_ line: EngineSweep.Line) -> HTML {
        var table = Table([
            .number(line.size.many), .number("best, 1/s"), .number("median, 1/s"), .number("µs each, one core"),
        ])
        for result in line.results {
            table.add([
                "\(NumberText.count(result.settings.value(of: line.size)))",
                "\(NumberText.count(Int(result.recordsPerSecond)))", "\(NumberText.count(Int(result.median)))",
                "\(NumberText.significant(1e6 * Double(result.settings.workers) / result.recordsPerSecond, digits: 3))",
            ])
        }
        return table.html
    }

    private func memory(_ line: EngineSweep.Line) -> HTML {
        var table = Table([
            .number("streams"), .number("process, bytes a stream"), .number("engine's count"), .number("h and c"),
            .number("longest batch, ms"),
        ])
        for result in line.results {
            let (streams, memory) = (result.settings.streams, result.memory)
            table.add([
                "\(NumberText.count(streams))", "\(NumberText.count(memory.resident / streams))",
                "\(NumberText.count(memory.counted / streams))", "\(NumberText.count(memory.raw / streams))",
                "\(NumberText.fixed(result.longestMilliseconds, places: 1))",
            ])
        }
        return """
            <h3>Memory</h3>
            <p class="aside">By which the process grew when the streams came, buffers for batches and the model \
            included; and the longest processor time of one batch while they did.</p>
            \(table.html)
            """
    }
}

extension EngineSweep.Size {
    fileprivate var title: String { many.prefix(1).uppercased() + many.dropFirst() }
    fileprivate var many: String { self == .hidden ? "hidden units" : rawValue }
    fileprivate var one: String { String(many.dropLast()) }
}
