import SluiceTestKit
import Testing

@testable import SluiceState

@Suite struct StreamStatisticsTests {
    @Test func followTheirDefinitionToTheBit() {
        var generator = Generator(seed: 4)
        var statistics = StreamStatistics(count: 0, mean: 0, variance: 0)
        var (n, m, v) = (0, 0.0, 0.0)
        for _ in 0..<10_000 {
            let value = generator.float() * 37 + 5
            statistics.add(value)
            n = min(n + 1, 4_096)
            let d = Double(value) - m
            m += d / Double(n)
            v = (1 - 1 / Double(n)) * (v + d * d / Double(n))
            #expect(statistics.count == UInt16(n))
            #expect(statistics.mean == m && statistics.variance == v)
        }
        #expect(statistics.scale == v.squareRoot())
        #expect(statistics.scaled(7) == Float((7 - m) / v.squareRoot()))
    }

    @Test func areMeanAndVarianceUpToTheCap() {
        var generator = Generator(seed: 5)
        var statistics = StreamStatistics(count: 0, mean: 0, variance: 0)
        let values = (0..<4_096).map { _ in generator.float() * 1_000 - 400 }
        for value in values { statistics.add(value) }
        let mean = values.reduce(0.0) { $0 + Double($1) } / 4_096
        let variance = values.reduce(0.0) { $0 + (Double($1) - mean) * (Double($1) - mean) } / 4_096
        #expect((statistics.mean - mean).magnitude < 1e-9)
        #expect((statistics.variance / variance - 1).magnitude < 1e-9)
    }

    @Test func aConstantFeatureIsZeroWhateverItsSize() {
        for constant: Float in [0, 1e-30, 5, -5e20, .greatestFiniteMagnitude] {
            var statistics = StreamStatistics(count: 0, mean: 0, variance: 0)
            for _ in 0..<100 { statistics.add(constant) }
            #expect(statistics.scaled(constant) == 0)
            #expect(statistics.scale == 1e-6 * max(abs(Double(constant)), 1e-6))
        }
    }

    @Test func theLargestValuesGiveFiniteNumbers() {
        var statistics = StreamStatistics(count: 0, mean: 0, variance: 0)
        for turn in 0..<5_000 {
            let value: Float = turn % 2 == 0 ? .greatestFiniteMagnitude : -.greatestFiniteMagnitude
            statistics.add(value)
            #expect(statistics.scaled(value).isFinite && statistics.scale.isFinite)
        }
    }
}
