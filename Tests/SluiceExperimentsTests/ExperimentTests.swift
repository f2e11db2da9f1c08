import SluiceTraining
import Testing

@testable import SluiceExperiments

@Suite struct ExperimentTests {
    @Test func sequencesAreBalancedInBothParts() {
        let firsts = LongMemoryTask.firsts(3)
        #expect(firsts.count == 1_200)
        #expect(firsts.prefix(1_000).reduce(0, +) == 500 && firsts.suffix(200).reduce(0, +) == 100)
        #expect(firsts != LongMemoryTask.firsts(4))
    }

    @Test func everyWindowHasOneLabelAndOneInElevenKnowsTheFirstStep() {
        let series = LongMemoryTask.windows(0, isDeclared: true)[0]
        #expect(series.count == 1_200 * 11 * 10)
        #expect(series.labels.indices.allSatisfy { series.labels[$0].isNaN == ($0 % 10 != 9) })
        #expect(series.boundary.indices.allSatisfy { series.boundary[$0] == ($0 % 110 == 0) })
        let ones = stride(from: 0, to: series.count, by: 10).count { start in
            series.inputs[start..<start + 10].contains(1)
        }
        #expect(ones == 600)
    }

    /// The set-ups whose outcome is not open: what carries the state from the steps before remembers, what resets it at
    /// each step cannot.
    @Test func aCarriedStateRemembersWhatAResetForgets() throws {
        func accuracy(_ number: Int, epochs: Int) throws -> [Double] {
            var setUp = Experiment.longMemory.setUps[number - 1]
            setUp.configuration.epochs = epochs
            return try setUp.measure(0, { false }) { _ in }.epochs
        }
        #expect(try accuracy(4, epochs: 1).allSatisfy { $0 < 0.53 })
        #expect(try accuracy(3, epochs: 2).contains { $0 > 0.99 })
        #expect(try accuracy(6, epochs: 6).contains { $0 >= 0.97 })
    }

    @Test func numbersAreShownWithTheirDigits() {
        #expect(Text.number(0.5454, 3) == "0.545" && Text.number(-0.0004, 3) == "0.000" && Text.number(12.5, 0) == "13")
        #expect(Text.number(-1.25, 1) == "−1.3" && Text.number(.nan, 2) == "–")
        #expect(Text.range((1, 2), 0) == "1 to 2" && Text.range((1, 1.001), 2) == "1.00" && Text.range(nil, 1) == "–")
        #expect(Text.list(["1"]) == "1" && Text.list(["1", "2", "3"]) == "1, 2 and 3")
    }
}
