import Testing

@testable import SluiceReport

@Suite struct ChartTests {
    @Test func axesEndAtRoundNumbersAroundAllValues() {
        let axis = Axis([0.13, 0.87])
        #expect(axis.range == 0...1 && axis.ticks.count == 6)
        #expect(Axis([3, 4], includesZero: true).range.lowerBound == 0)
        for values in [[5.0], [0], [-2, -2], [], [.nan, 1], [1e-30, 2e-30], [-1e12, 1e12], [1e15, 1e15 + 1]] {
            let axis = Axis(values)
            #expect(axis.ticks.count >= 2 && axis.ticks.count <= 51, "\(values)")
            #expect(values.allSatisfy { !$0.isFinite || axis.range.contains($0) }, "\(values)")
            #expect(axis.range.lowerBound < axis.range.upperBound && axis.range.upperBound.isFinite, "\(values)")
        }
        #expect(Axis(upTo: 1).range == 1...2)
        #expect(Axis(upTo: 100).ticks == [1, 10, 20, 30, 40, 50, 60, 70, 80, 90, 100])
        #expect(Axis(upTo: 5_000).ticks.count <= 12)
    }

    @Test func equalRatiosAreEquallyFarApartOnALogarithmicAxis() {
        let axis = Axis(logarithmic: [100, 1, 10, 10])
        #expect(axis.range == 1...100 && axis.ticks == [1, 10, 100])
        #expect(abs(axis.place(10, from: 0, to: 8) - 4) < 1e-12 && axis.place(100, from: 0, to: 8) == 8)
        for few in [[], [7]] {
            let axis = Axis(logarithmic: few)
            #expect(axis.range.lowerBound > 0 && axis.range.lowerBound < axis.range.upperBound)
        }
        let chart = LineChart(
            "t", horizontal: "streams", [.init("a", style: "a", [(1_000, 5), (100_000, 6)])], scale: .logarithmic,
            includesZero: true
        ).svg.text
        #expect(chart.contains(/"tick end" x="744" y="282">100,000</) && chart.contains(">0</text>"))
    }

    @Test func whatIsNoNumberIsLeftOut() {
        let line = LineChart("t", horizontal: "epoch", [.init("a", style: "a", [(1, 1), (2, .nan), (3, 2)])]).svg
        #expect(line.text.matches(of: /<circle/).count == 2 && !line.text.contains("nan"))
        let bars = BarChart(
            "t", [.init("a", style: "a")], [.init("g", [.infinity]), .init("h", [nil]), .init("i", [2])])
        #expect(bars.svg.text.matches(of: /<rect/).count == 1 && !bars.svg.text.contains("inf"))
        #expect(LineChart("t", horizontal: "epoch", []).svg.text.contains("<svg"))
        #expect(BarChart("t", [], []).svg.text.contains("<svg"))
    }

    @Test func aLegendThatIsTooLongForOneRowHasSeveral() {
        let names = ["one", String(repeating: "x", count: 60), String(repeating: "y", count: 60), "z"]
        let chart = LineChart("t", horizontal: "epoch", names.map { .init($0, style: "a", [(1, 1), (2, 2)]) }).svg.text
        // The last row is where a single one is; the others are above it.
        #expect(chart.contains("viewBox=\"0 -18 760 318\""))
        #expect(chart.matches(of: /y="-2">(one|x+)</).count == 2 && chart.matches(of: /y="16">(y+|z)</).count == 2)
        #expect(LineChart("t", horizontal: "epoch", []).svg.text.contains("viewBox=\"0 0 760 300\""))
    }

    @Test func textOfOthersIsEscaped() {
        let name = "<b>\"&'\u{1B}"
        #expect(("\(name)" as HTML).text == "&lt;b&gt;&quot;&amp;&#39;\u{FFFD}")
    }

    @Test func numbersAreShort() {
        #expect(
            NumberText.count(1_234_567) == "1,234,567" && NumberText.count(12) == "12"
                && NumberText.count(-1_000) == "−1,000")
        #expect(NumberText.fixed(1.50, places: 2) == "1.5" && NumberText.fixed(-0.001, places: 2) == "0")
        #expect(NumberText.fixed(100, places: 0) == "100" && NumberText.percent(0.1234) == "12.3 %")
        #expect(NumberText.significant(.nan) == "–" && NumberText.significant(nil) == "–")
    }
}
