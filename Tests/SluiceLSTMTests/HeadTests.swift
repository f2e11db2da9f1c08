import Foundation
import SluiceLSTM
import Testing

@Suite struct HeadTests {
    private func head(
        _ kind: HeadKind, targets: Int = 1, horizons: Int = 1, quantiles: [Double] = [], classes: Int? = nil
    ) -> Head {
        Head(
            ModelManifest(
                name: "test", version: "v1", inputs: ["a"], targets: (0..<targets).map { "t\($0)" },
                horizons: Array(1...horizons), head: kind, quantiles: quantiles, classes: classes))
    }

    private func values(_ head: Head, _ raw: [Float], _ scales: [TargetScale] = [.identity]) -> (values: [Float], finite: Bool) {
        var values = [Float](repeating: .nan, count: raw.count)
        let finite = head.values(of: raw, scales: scales, into: &values)
        return (values, finite)
    }

    @Test func pointIsRestoredInDoubleTargetMajor() {
        let scales = [TargetScale(mean: 100.1, scale: 3.3), TargetScale(mean: -7, scale: 0.5)]
        let result = values(head(.point, targets: 2, horizons: 3), [0, 1, -1, 0, 2, 4], scales)
        #expect(result.values == [100.1, Float(1 * 3.3 + 100.1), Float(-1 * 3.3 + 100.1), -7, -6, -5])
        #expect(result.finite)
    }

    @Test func unscaledPointIsTheOutputItself() {
        let raw: [Float] = [0.1, -3e38, .leastNonzeroMagnitude]
        #expect(values(head(.point, horizons: 3), raw).values == raw)
    }

    @Test func gaussianGivesValueAndDeviation() {
        let scale = TargetScale(mean: 10, scale: 4)
        let result = values(head(.gaussian, horizons: 2), [0.5, 0, -0.5, 2 * Float(log(3.0))], [scale])
        #expect(result.values[0] == 12 && result.values[1] == 4 && result.values[2] == 8)
        #expect(abs(result.values[3] - 12) < 1e-5)
    }

    @Test func quantilesAreSortedWithinEachForecastThenRestored() {
        let scales = [TargetScale(mean: 0, scale: 2), TargetScale(mean: 1, scale: 1)]
        let head = head(.quantile, targets: 2, horizons: 2, quantiles: [0.1, 0.5, 0.9])
        let result = values(head, [3, 1, 2, 1, 2, 3, 3, 2, 1, -1, 0, -1], scales)
        #expect(result.values == [2, 4, 6, 2, 4, 6, 2, 3, 4, 0, 0, 1])
    }

    @Test func binaryIsTheProbabilityOfLabelOne() {
        #expect(values(head(.binary), [0]).values == [0.5])
        #expect(abs(Double(values(head(.binary), [2]).values[0]) - 1 / (1 + exp(-2.0))) < 1e-7)
    }

    @Test func probabilitiesOfClassesSumToOne() {
        let raw: [Float] = [1_000, 999, -1_000, 1_000.5]
        let result = values(head(.categorical, classes: 4), raw)
        let weights = raw.map { exp(Double($0) - 1_000.5) }
        for (value, weight) in zip(result.values, weights) {
            #expect(abs(Double(value) - weight / weights.reduce(0, +)) < 1e-6)
        }
        #expect(abs(result.values.reduce(0, +) - 1) < 1e-6)
        #expect(result.finite)
    }

    @Test func valuesMayReplaceTheOutputsInPlace() {
        var buffer: [Float] = [3, 1, 2]
        let head = head(.quantile, quantiles: [0.1, 0.5, 0.9])
        let finite = buffer.withUnsafeMutableBufferPointer {
            head.values(of: $0.baseAddress!, scales: [.identity], into: $0.baseAddress!)
        }
        #expect(buffer == [1, 2, 3] && finite)
    }

    @Test func aValueBeyondFloatIsReported() {
        #expect(!values(head(.point), [2], [TargetScale(mean: 0, scale: 3e38)]).finite)
        #expect(!values(head(.gaussian), [0, 200]).finite)
    }
}
