import SluiceTraining
import Testing

@Suite struct RepeatedUpdateTests {
    /// What is spoiled and not written again is found.
    @Test func anUpdateThatDoesNotWriteIsFound() throws {
        let update = try RepeatedUpdate(inputs: 2, hidden: 5, layers: 2, batch: 3, steps: 4, threads: 1)
        let first = update.run()
        #expect(update.isSound)
        update.spoil()
        #expect(!update.isSound)
        #expect(update.run() < first)
        #expect(update.isSound)
    }
}
