import SluiceCore
import SluiceLSTM
import SluiceSchema
import SluiceTestKit
import Testing

@testable import SluiceState

@Suite struct ForecastPassTests {
    /// Plain reading of `training.md`, "Anomaly score", for one target: forecasts by step since the boundary.
    private struct Plain {
        let horizon: Int
        var forecasts: [(value: Float, width: Double)] = []
        var bins = AnomalyBins()

        mutating func observe(_ value: Float, forecast: Float, width: Double) -> Float? {
            defer { forecasts.append((forecast, width)) }
            guard forecasts.count >= horizon, !value.isNaN else { return nil }
            let made = forecasts[forecasts.count - horizon]
            return bins.score(adding: (Double(value) - Double(made.value)).magnitude / Double(Float(made.width)))
        }
    }

    @Test(arguments: [1, 2, 5, 17]) func theRingHoldsTheForecastOfThatManyObservationsAgo(horizon: Int) {
        let specification = FoldSpecification(model: model(inputs: 1, horizons: [horizon, horizon + 3]))
        let stream = OneStream(specification)
        var generator = Generator(seed: 8)
        var plain = Plain(horizon: horizon)
        var statistics = StreamStatistics()
        var scored = 0
        for turn in 0..<600 {
            if turn % 97 == 96 { plain.forecasts = [] }
            let value: Float = turn % 13 == 12 ? .nan : generator.float() * 10
            if !value.isNaN { statistics.add(value) }
            let forecast = generator.float() * 10
            let outcome = stream.observe(
                [value], at: 0, mark: turn % 97 == 96 ? .start : .none, values: [forecast, 1_000])
            let expected = plain.observe(value, forecast: forecast, width: statistics.scale)
            let anomaly = outcome.judgement?.anomaly ?? 0
            #expect(anomaly.isNaN ? expected == nil : expected == anomaly)
            #expect(stream.header.forecast == forecast)
            scored += anomaly.isNaN ? 0 : 1
        }
        #expect(scored > 300)
    }

    @Test func theWidthIsTheHeads() {
        let gaussian = OneStream(FoldSpecification(model: model(.gaussian, inputs: 1)))
        gaussian.observe([1], at: 0, values: [2, 0.5])
        #expect(gaussian.table[gaussian.slot].ring[0] == 2 && gaussian.table[gaussian.slot].ring[1] == 0.5)
        let quantile = OneStream(FoldSpecification(model: model(.quantile, inputs: 1, quantiles: [0.1, 0.5, 0.9])))
        quantile.observe([1], at: 0, values: [-1, 2, 4])
        #expect(quantile.table[quantile.slot].ring[0] == 2 && quantile.table[quantile.slot].ring[1] == 5)
        #expect(quantile.header.forecast == 2)
        let flat = OneStream(FoldSpecification(model: model(.quantile, inputs: 1, quantiles: [0.1, 0.5, 0.9])))
        flat.observe([1_000], at: 0, values: [3, 3, 3])
        #expect(flat.table[flat.slot].ring[1] == Float(1e-3), "never 0")
    }

    @Test func theWorstTargetCounts() {
        let specification = FoldSpecification(
            model: model(.gaussian, inputs: 3, targets: ["f2", "absent", "f0"], horizons: [4, 1]))
        #expect(specification.targetInputs == [2, nil, 0])
        let stream = OneStream(specification)
        // [target][horizon](mean, deviation); the nearest horizon is the second.
        let values: [Float] = [9, 9, 10, 2, 9, 9, 9, 9, 9, 9, 20, 1]
        stream.observe([0, 0, 0], at: 0, values: values)
        #expect(stream.header.forecast == 10)
        stream.observe([22, 5, 13], at: 1, values: values)
        // |13 − 10| / 2 = 1.5 and |22 − 20| / 1 = 2.
        #expect(stream.header.error == 2)
        #expect(stream.header.bins.counts[11] == 1)
        stream.observe([.nan, 5, 13], at: 2, values: values)
        #expect(stream.header.bins.counts[10] == 1)
    }

    @Test func probabilitiesAreJudgedByTheLabelsOwn() {
        let stream = OneStream(FoldSpecification(model: model(.categorical, classes: 3)))
        stream.observe([1, 1], at: 0, label: 2, values: [0.25, 0.5, 0.25])
        #expect(stream.header.error == 0.75)
        stream.observe([1, 1], at: 0, label: -1, values: [1, 0, 0])
        stream.observe([1, 1], at: 0, values: [1, 0, 0])
        #expect(stream.header.errorCount == 1, "no label, no judgement")
        let binary = OneStream(FoldSpecification(model: model(.binary)))
        binary.observe([1, 1], at: 0, label: 1, values: [0.25])
        #expect(binary.header.error == 0.75)
        binary.observe([1, 1], at: 0, label: 0, values: [0.75])
        #expect(binary.header.error == 0.75)
    }

    @Test func warmAfterWarmupStepsSinceTheBoundaryAndSixteenValues() {
        let warmup = OneStream(FoldSpecification(model: model(warmup: 3)))
        var warm = (0..<8).map { warmup.observe([1, 1], at: 0, mark: $0 == 5 ? .start : .none).judgement?.isWarm }
        #expect(warm == [false, false, false, true, true, false, false, false])
        let scaled = OneStream(FoldSpecification(model: model(scaling: .perStream)))
        warm = (0..<20).map {
            scaled.observe([$0 == 3 ? .nan : 1, 1], at: 0, mark: $0 == 18 ? .start : .none).judgement?.isWarm
        }
        #expect(warm == (0..<20).map { $0 >= 16 }, "statistics outlive the boundary; a missing value does not count")
    }

    @Test func theAnomalyIsNullUntilWarmAlthoughItIsCounted() {
        let stream = OneStream(FoldSpecification(model: model(inputs: 1, warmup: 100)))
        var generator = Generator(seed: 2)
        for step in 0..<110 {
            let judgement = stream.observe([generator.float()], at: 0).judgement
            #expect(judgement?.anomaly.isNaN == (step < 100))
        }
        #expect((0..<16).reduce(0) { $0 + Int(stream.header.bins.counts[$1]) } == 109)
    }

    @Test func theErrorIsAMeanAtFirstAndRollsThen() {
        let stream = OneStream(FoldSpecification(model: model(inputs: 1)))
        stream.observe([0], at: 0, values: [0])
        stream.observe([2], at: 0, values: [0])
        stream.observe([4], at: 0, values: [0])
        #expect(stream.header.error == 3)
        for _ in 0..<2_000 { stream.observe([8], at: 0, values: [0]) }
        #expect(stream.header.errorCount == 256)
        #expect((stream.header.error - 8).magnitude < 0.01)
    }

    @Test func anUnobservedTargetIsNeitherScaledNorJudged() {
        let stream = OneStream(FoldSpecification(model: model(targets: ["elsewhere"], scaling: .perStream)))
        for _ in 0..<200 { #expect(stream.observe([1, 2], at: 0, values: [3]).judgement?.anomaly.isNaN == true) }
        #expect(stream.header.error.isNaN)
        #expect(stream.header.forecast == 3)
    }
}
