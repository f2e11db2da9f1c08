import SluiceLSTM
import Testing

@testable import SluiceTraining

/// Set-up 3 of the long-memory experiment, in rows and chunks (`training.md`).
@Suite struct LongMemoryTests {
    @Test(arguments: [(0, 1), (1, 1), (2, 1), (0, 1_200)] as [(UInt64, Int)])
    func firstStepIsRememberedToTheLast(seed: UInt64, streams: Int) throws {
        var configuration = TrainingConfiguration()
        (configuration.chunk, configuration.rows, configuration.epochs, configuration.patience) = (20, 32, 10, 0)
        (configuration.forgetBias, configuration.seed, configuration.threads) = (1, seed, 1)
        configuration.validation = 200.0 / 1_200
        let one = Synthetic.longMemory(seed: seed)
        let dataset = try Dataset(streams == 1 ? [one] : Synthetic.streamPerSegment(one), for: Synthetic.binary)
        let result = try Trainer.train(
            dataset, manifest: Synthetic.binary, shape: LSTMShape(inputs: 1, hidden: 10, layers: 1, outputs: 1),
            configuration: configuration)
        let accuracy = try #require(result.carryGap?.carried.accuracy)
        #expect(accuracy > 0.99)
        #expect(result.epochs.contains { ($0.validation?.accuracy ?? 0) > 0.99 })
        // Of one stream the last 200 sequences, of 1,200 simultaneous ones the last steps of each: those need the
        // lead-in.
        #expect(result.carryGap?.carried.count == (streams == 1 ? 4_000 : 4_800))
    }

    /// Chunks of one step without carried state see no more than the step they are at.
    @Test func stateResetAtEachStepRemembersNothing() throws {
        var configuration = TrainingConfiguration()
        (configuration.chunk, configuration.rows, configuration.epochs, configuration.threads) = (1, 256, 2, 1)
        configuration.carry = [.perBatch]
        let series = Synthetic.longMemory(sequences: 240, hold: 40, seed: 0)
        let result = try Trainer.train(
            try Dataset([series], for: Synthetic.binary), manifest: Synthetic.binary,
            shape: LSTMShape(inputs: 1, hidden: 4, layers: 1, outputs: 1), configuration: configuration)
        #expect(try #require(result.epochs.last?.validation?.accuracy) < 0.6)
    }
}
