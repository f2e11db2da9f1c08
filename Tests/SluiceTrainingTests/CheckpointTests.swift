import SluiceCore
import SluiceLSTM
import Testing

@testable import SluiceTraining

@Suite struct CheckpointTests {
    private func configuration(_ change: (inout TrainingConfiguration) -> Void = { _ in }) -> TrainingConfiguration {
        var configuration = TrainingConfiguration()
        (configuration.chunk, configuration.rows, configuration.epochs, configuration.threads) = (10, 4, 6, 1)
        (configuration.learningRate, configuration.dropout) = (0.02, 0.2)
        (configuration.schedule, configuration.scheduleEpochs) = (.reduceOnPlateau, 1)
        change(&configuration)
        return configuration
    }

    /// A model whose every draw depends on the epoch.
    private var manifest: ModelManifest {
        var manifest = Synthetic.point
        manifest.initialState = .learnedNoise
        return manifest
    }

    private func train(
        _ configuration: TrainingConfiguration, rows: Int = 300, hidden: Int = 5, resuming: TrainingCheckpoint? = nil,
        checkpoint: TrainingCheckpoint.Keeper = { _ in },
        progress: (TrainingProgress) -> Void = { _ in }
    ) throws -> TrainingResult {
        let series = [Synthetic.wave(rows, boundaryEvery: 23), Synthetic.wave(90, name: "short")]
        return try Trainer.train(
            try Dataset(series, for: manifest), manifest: manifest,
            shape: LSTMShape(inputs: 1, hidden: hidden, layers: 2, outputs: 1), configuration: configuration,
            resuming: resuming, checkpoint: checkpoint, progress: progress)
    }

    @Test(arguments: OptimizerKind.allCases, CarryPolicy.allCases)
    func aResumedRunEndsInTheBitsOfOneNeverInterrupted(optimizer: OptimizerKind, policy: CarryPolicy) throws {
        let configuration = configuration { ($0.optimizer, $0.carry) = (optimizer, [policy]) }
        var checkpoints: [TrainingCheckpoint] = []
        let whole = try train(configuration) { checkpoints.append($0) }
        #expect(checkpoints.map(\.epochs) == Array(1...6))
        for start in [checkpoints[0], checkpoints[3], checkpoints[5]] {
            var again: [TrainingCheckpoint] = []
            let resumed = try train(configuration, resuming: start) { again.append($0) }
            #expect(again == Array(checkpoints.dropFirst(start.epochs)))
            #expect(resumed.model == whole.model)
            #expect(resumed.epochs == whole.epochs && resumed.bestEpoch == whole.bestEpoch)
            #expect(resumed.carryGap == whole.carryGap && resumed.stop == whole.stop)
        }
    }

    /// A run may go on where there are more cores.
    @Test func anotherNumberOfThreadsGoesOnToTheSameBits() throws {
        var kept: [TrainingCheckpoint] = []
        let whole = try train(configuration()) { kept.append($0) }
        let resumed = try train(configuration { $0.threads = 3 }, resuming: kept[2])
        #expect(resumed.model == whole.model && resumed.epochs == whole.epochs)
    }

    @Test func aRunThatStoppedEarlyIsOverWhenItIsResumed() throws {
        let configuration = configuration { ($0.epochs, $0.patience, $0.learningRate) = (200, 2, 0.3) }
        var last: TrainingCheckpoint?
        let whole = try train(configuration) { last = $0 }
        #expect(whole.stop == .early)
        let resumed = try train(configuration, resuming: last) { _ in
            Issue.record("there is nothing left to train")
        }
        #expect(resumed.stop == .early && resumed.model == whole.model)
    }

    @Test func anotherRunIsRefusedWithAllThatDiffers() throws {
        var kept: TrainingCheckpoint?
        _ = try train(configuration { $0.epochs = 1 }) { kept = $0 }
        let checkpoint = try #require(kept)
        func message(_ configuration: TrainingConfiguration, rows: Int = 300, hidden: Int = 5) -> String {
            let error = #expect(throws: SluiceError.self) {
                try train(configuration, rows: rows, hidden: hidden, resuming: checkpoint)
            }
            #expect(error?.code == .foreignCheckpoint)
            return error?.message ?? ""
        }
        let other = message(
            configuration { ($0.epochs, $0.learningRate, $0.carry) = (1, 0.5, [.perBatch, .acrossBatches]) })
        let differences =
            "train.carry was [across-batches] and is [per-batch, across-batches]; "
            + "train.learning_rate was 0.02 and is 0.5"
        #expect(other == "the checkpoint is of another run: " + differences)
        #expect(message(configuration { $0.epochs = 1 }, hidden: 7).hasSuffix("run: model.hidden was 5 and is 7"))
        #expect(message(configuration { $0.epochs = 1 }, rows: 301).contains("data was 390 observations of 2 streams"))
    }

    @Test func whatTheCheckpointThrowsEndsTraining() throws {
        var epochs = 0
        let error = #expect(throws: SluiceError.self) {
            try train(configuration()) { _ in
                throw SluiceError(.file, "the disk is full")
            } progress: {
                if case .epoch = $0 { epochs += 1 }
            }
        }
        #expect(error?.code == .file && epochs == 1)
    }
}
