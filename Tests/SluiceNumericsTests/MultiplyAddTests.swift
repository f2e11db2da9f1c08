import CStepKernel
import SluiceNumerics
import Testing

@Suite struct MultiplyAddTests {
    @Test(arguments: InstructionSet.available)
    func everyRoundIsCountedAndRight(set: InstructionSet) {
        let once = set.multiplyAdds(rounds: 1)
        // Two operations in each of at least eight vectors of four.
        #expect(once >= 64)
        #expect(set.multiplyAdds(rounds: 1_000) == 1_000 * once)
        #expect(set.multiplyAdds(rounds: 0) == 0)
    }

    /// One round more or less, or none at all, is told, and so is a chain that is not where it must be.
    @Test(arguments: [8, 12, 24] as [Int32], [0, 1, 2, 5, 64, 5_000])
    func aSumOfOtherRoundsIsFound(chains: Int32, rounds: Int) {
        func sum(_ rounds: Int) -> Float {
            (0..<chains).reduce(0) { sum, chain in
                sum + (0..<rounds).reduce(Float(chain)) { value, _ in value / 2 + 1 }
            }
        }
        #expect(sluice_fma_sum_is_right(sum(rounds), chains, rounds))
        #expect(!sluice_fma_sum_is_right(sum(rounds) + 0.01, chains, rounds))
        #expect(!sluice_fma_sum_is_right(.nan, chains, rounds))
        guard rounds < 10 else { return #expect(!sluice_fma_sum_is_right(sum(0), chains, rounds)) }
        for other in 0..<10 where other != rounds { #expect(!sluice_fma_sum_is_right(sum(other), chains, rounds)) }
    }
}
