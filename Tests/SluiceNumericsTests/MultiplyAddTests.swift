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
}
