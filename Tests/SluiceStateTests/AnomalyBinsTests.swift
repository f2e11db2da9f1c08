import Testing

@testable import SluiceState

@Suite struct AnomalyBinsTests {
    @Test func noScoreBeforeSixtyFourValues() {
        var bins = AnomalyBins()
        for count in 0..<200 { #expect((bins.score(adding: 1) == nil) == (count < 64)) }
    }

    @Test(
        arguments: [
            (0, 0), (0x1p-11, 0), (0x1p-10, 0), (0x1.fp-10, 0), (0x1p-9, 1), (0.5, 9), (1, 10), (1.99, 10), (2, 11),
            (0x1p5, 15), (63.9, 15), (0x1p6, 15), (1e300, 15), (.infinity, 15),
        ] as [(Double, Int)])
    func anOctaveIsABin(r: Double, bin: Int) {
        #expect(AnomalyBins.bin(of: r) == bin)
    }

    @Test(arguments: [
        (0.0, 0.0), (0x1p-10, 0), (0x1.8p-10, 0.5), (1, 0), (1.25, 0.25), (1.75, 0.75), (96, 1), (.infinity, 1),
    ])
    func theFractionIsLinearWithinTheBin(r: Double, fraction: Double) {
        #expect(AnomalyBins.fraction(of: r, in: AnomalyBins.bin(of: r)) == fraction)
    }

    @Test func theScoreIsTheShareBelowBeforeItIsAdded() {
        var bins = AnomalyBins()
        for _ in 0..<30 { _ = bins.score(adding: 0.25) }
        for _ in 0..<70 { _ = bins.score(adding: 1) }
        // 30 below, half of the 70 within.
        #expect(bins.score(adding: 1.5) == Float((30 + 35.0) / 100))
        #expect(bins.score(adding: 1.5) == Float((30 + 71 * 0.5) / 101))
        #expect(bins.score(adding: 0) == 0)
        #expect(bins.score(adding: .infinity) == 1)
    }

    @Test func allBinsAreHalvedAtTheCap() {
        var bins = AnomalyBins()
        for turn in 0..<4_095 { _ = bins.score(adding: turn % 3 == 0 ? 0.25 : 4) }
        #expect((0..<16).reduce(0) { $0 + Int(bins.counts[$1]) } == 4_095)
        _ = bins.score(adding: 4)
        #expect(bins.counts[8] == 1_365 / 2)
        #expect(bins.counts[12] == 2_731 / 2)
        for _ in 0..<100_000 { _ = bins.score(adding: 4) }
        #expect((0..<16).reduce(0) { $0 + Int(bins.counts[$1]) } < 4_096)
    }
}
