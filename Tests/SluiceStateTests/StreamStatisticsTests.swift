import SluiceTestKit
import Testing

@testable import SluiceState

@Suite struct StreamStatisticsTests {
    /// The definition, with nothing rounded but by double precision.
    private struct Plain {
        var (n, m, v) = (0.0, 0.0, 0.0)

        mutating func add(_ value: Float) {
            n = min(n + 1, 4_096)
            let d = Double(value) - m
            m += d / n
            v = (1 - 1 / n) * (v + d * d / n)
        }
    }

    @Test func followTheirDefinitionToTheBit() {
        var generator = Generator(seed: 4)
        var statistics = StreamStatistics()
        var (n, m, s) = (0, 0.0, Float(0))
        for _ in 0..<10_000 {
            let value = generator.float() * 37 + 5
            statistics.add(value)
            n = min(n + 1, 4_096)
            let d = Double(value) - m
            let v = (1 - 1 / Double(n)) * (Double(s) * Double(s) + d * d / Double(n))
            m = Double(bitPattern: ((m + d / Double(n)).bitPattern + 4_096) / 8_192 * 8_192)
            s = Float(v.squareRoot())
            #expect(statistics.count == UInt16(n))
            #expect(statistics.mean == m && statistics.deviation == s)
            #expect(
                StreamStatistics(meanAndCount: statistics.meanAndCount, deviation: statistics.deviation) == statistics)
        }
        #expect(statistics.scale == Double(s))
        #expect(statistics.scaled(7) == Float((7 - m) / Double(s)))
    }

    /// Whatever mean and deviation are to each other, down to where a feature counts as constant, what is lost by
    /// keeping them short moves no scaled value by more than a thousandth.
    @Test(arguments: [0, 1, 1e3, -1e5, 3e5] as [Float]) func whatIsKeptIsAsGoodAsDoublePrecision(mean: Float) {
        var generator = Generator(seed: 6)
        var statistics = StreamStatistics()
        var plain = Plain()
        var largest = 0.0
        for turn in 0..<60_000 {
            // A level that shifts by many deviations, and goes on.
            let value = mean + (generator.float() - 0.5) + (turn > 30_000 ? 10 : 0)
            statistics.add(value)
            plain.add(value)
            guard turn > 16 else { continue }
            largest = max(largest, ((statistics.mean - plain.m) / plain.v.squareRoot()).magnitude)
            largest = max(largest, (Double(statistics.deviation) / plain.v.squareRoot() - 1).magnitude)
        }
        #expect(largest < 1e-3)
    }

    @Test func areMeanAndDeviationUpToTheCap() {
        var generator = Generator(seed: 5)
        var statistics = StreamStatistics()
        let values = (0..<4_096).map { _ in generator.float() * 1_000 - 400 }
        for value in values { statistics.add(value) }
        let mean = values.reduce(0.0) { $0 + Double($1) } / 4_096
        let variance = values.reduce(0.0) { $0 + (Double($1) - mean) * (Double($1) - mean) } / 4_096
        #expect((statistics.mean - mean).magnitude < 1e-8)
        #expect((Double(statistics.deviation) / variance.squareRoot() - 1).magnitude < 1e-5)
    }

    @Test func aConstantFeatureIsZeroWhateverItsSize() {
        for constant: Float in [0, 1e-30, 5, -5e20, .greatestFiniteMagnitude] {
            var statistics = StreamStatistics()
            for _ in 0..<10_000 { statistics.add(constant) }
            #expect(statistics.scaled(constant) == 0)
            #expect(statistics.scale == 1e-6 * max(abs(Double(constant)), 1e-6))
        }
    }

    @Test func theLargestValuesGiveFiniteNumbers() {
        var statistics = StreamStatistics()
        for turn in 0..<5_000 {
            let value: Float = turn % 2 == 0 ? .greatestFiniteMagnitude : -.greatestFiniteMagnitude
            statistics.add(value)
            #expect(statistics.scaled(value).isFinite && statistics.scale.isFinite && statistics.isPlausible)
        }
    }
}
