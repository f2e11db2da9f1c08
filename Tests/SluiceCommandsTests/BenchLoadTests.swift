import SluiceAdmin
import Testing

@testable import SluiceCommands
@testable import SluiceService

/// What `bench pipeline --load` prints.
@Suite struct BenchLoadTests {
    private static let settings = PipelineBench.Settings(
        bootstrap: "127.0.0.1:1", topic: "t", count: 1, delivery: "at-least-once", features: 8, hidden: 64, layers: 1,
        workers: 2, repetitions: 1)

    /// Half of a load of 1,000 records a second, of which the feeder sent so much; never at the machine's pace.
    private static func result(fed: Double) -> LoadBench.Result {
        var result = LoadBench.Result(settings: settings, load: 0.5, rate: 500)
        (result.fed, result.achieved, result.slowShare) = (fed, fed, 0.0625)
        for milliseconds in 1...16 { result.service.add(Int64(milliseconds) * 1_000_000, count: 17 - milliseconds) }
        result.endToEnd.add(20_000_000, count: 4)
        return result
    }

    @Test func linesSayWhatWasWantedAndWhatWasHad() throws {
        try expectSnapshot(Self.result(fed: 500).lines.joined(separator: "\n") + "\n", "bench-load")
    }

    @Test func aLoadThatWasNotFedIsCalledWhatItIs() {
        #expect(Self.result(fed: 480).lines[1] == "  fed were 480 records/s: this is 48 % load")
        #expect(!Self.result(fed: 490).lines.joined().contains("fed were"))
    }

    @Test func whatWasNotMeasuredIsNull() throws {
        let json = JSONWriter.text(of: Self.result(fed: 500))
        #expect(json.contains(#""steady_records":0,"steady_p50_ms":null,"steady_p90_ms":null"#))
        try expectSnapshot(json + "\n", "bench-load-json")
    }

    @Test func ratesOfThePipelineAreAnObject() {
        var result = PipelineBench.Result(settings: Self.settings)
        (result.rates, result.records, result.streams) = ([1_000, 3_000, 2_000], 6_000, 10)
        let expected =
            #"{"bench":"pipeline","delivery":"at-least-once","inputs":8,"hidden":64,"layers":1,"#
            + #""streams":10,"threads":2,"records":6000,"records_per_second":3000.0,"median":2500.0,"repetitions":3}"#
        #expect(JSONWriter.text(of: result) == expected)
    }
}
