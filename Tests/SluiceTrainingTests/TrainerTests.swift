import SluiceCore
import SluiceLSTM
import Synchronization
import Testing

@testable import SluiceTraining

@Suite struct TrainerTests {
    private func configuration(_ change: (inout TrainingConfiguration) -> Void = { _ in }) -> TrainingConfiguration {
        var configuration = TrainingConfiguration()
        (configuration.chunk, configuration.rows, configuration.epochs, configuration.threads) = (10, 8, 3, 1)
        configuration.learningRate = 0.01
        change(&configuration)
        return configuration
    }

    private func train(
        _ series: [TrainingSeries], _ configuration: TrainingConfiguration, manifest: ModelManifest = Synthetic.point,
        hidden: Int = 6, layers: Int = 1, isCancelled: @Sendable () -> Bool = { false },
        isMeasuringCancelled: @Sendable () -> Bool = { false }, progress: (TrainingProgress) -> Void = { _ in }
    ) throws -> TrainingResult {
        try Trainer.train(
            try Dataset(series, for: manifest), manifest: manifest,
            shape: LSTMShape(
                inputs: manifest.inputs.count, hidden: hidden, layers: layers, outputs: manifest.outputs),
            configuration: configuration, isCancelled: isCancelled, isMeasuringCancelled: isMeasuringCancelled,
            progress: progress)
    }

    /// However large a batch may be, it takes what the data fills of it.
    @Test func aBatchIsNoLargerThanTheData() throws {
        let dataset = try Dataset([Synthetic.wave(100), Synthetic.wave(60)], for: Synthetic.point)
        var configuration = TrainingConfiguration()
        (configuration.chunk, configuration.rows, configuration.validation) = (65_536, 65_536, 0)
        var largest = try DatasetSplit(dataset, configuration).largestBatch(configuration)
        #expect(largest.rows == 4 && largest.steps == 160)
        (configuration.chunk, configuration.rows) = (7, 3)
        largest = try DatasetSplit(dataset, configuration).largestBatch(configuration)
        #expect(largest.rows == 3 && largest.steps == 21)
        let error = #expect(throws: SluiceError.self) {
            try TrainingRun.check(1 << 40, LSTMShape(inputs: 1, hidden: 64, layers: 1, outputs: 1), configuration)
        }
        #expect(error?.code == .invalidConfiguration && error?.remedy?.contains("train.rows (3)") == true)
    }

    /// A policy's losses are compared with one another, not with those of the one before.
    @Test func theBestEpochIsOneOfTheLastPolicy() throws {
        var configuration = TrainingConfiguration()
        (configuration.chunk, configuration.rows, configuration.threads) = (10, 8, 1)
        (configuration.carry, configuration.epochs) = ([.perBatch, .perBatch, .perBatch, .acrossBatches], 4)
        configuration.learningRate = 1e-9
        let result = try Trainer.train(
            try Dataset([Synthetic.wave(400, boundaryEvery: 1_000)], for: Synthetic.point), manifest: Synthetic.point,
            shape: LSTMShape(inputs: 1, hidden: 3, layers: 1, outputs: 1), configuration: configuration)
        #expect(result.epochs.map(\.policy) == configuration.carry && result.bestEpoch == 4)
    }

    @Test func sameSeedGivesSameBitsAndAnotherSeedOthers() throws {
        let series = [Synthetic.wave(400), Synthetic.wave(150, name: "short")]
        let first = try train(series, configuration(), layers: 2)
        let again = try train(series, configuration(), layers: 2)
        #expect(first.model.parameters == again.model.parameters)
        #expect(first.epochs == again.epochs)
        #expect(first.carryGap == again.carryGap)
        let other = try train(series, configuration { $0.seed = 1 }, layers: 2)
        #expect(first.model.parameters != other.model.parameters)
    }

    @Test(arguments: [HeadKind.point, .gaussian, .quantile])
    func forecastsOfAWaveImprove(head: HeadKind) throws {
        var manifest = Synthetic.point
        manifest.head = head
        manifest.quantiles = head == .quantile ? [0.1, 0.5, 0.9] : []
        let result = try train([Synthetic.wave(800)], configuration { $0.epochs = 8 }, manifest: manifest)
        let losses = result.epochs.compactMap { $0.validation?.loss }
        #expect(losses.count == 8)
        #expect(losses[7] < losses[0])
        #expect(result.stop == .completed)
        #expect(result.model.manifest == manifest)
    }

    @Test func bestEpochIsKeptAndTrainingStopsWithoutProgress() throws {
        // Steps this large leave the optimum again.
        let result = try train(
            [Synthetic.wave(300)],
            configuration { ($0.epochs, $0.patience, $0.learningRate) = (200, 3, 0.3) })
        #expect(result.stop == .early)
        #expect(result.epochs.count == result.bestEpoch + 3)
        let losses = result.epochs.compactMap { $0.validation?.loss }
        let best = try #require(losses.min())
        #expect(result.epochs[result.bestEpoch - 1].validation?.loss == best)
        #expect(abs(try #require(result.carryGap).carried.loss / best - 1) < 1e-4)
    }

    @Test func validationLeavesTrainingAsItIs() throws {
        let series = [Synthetic.wave(400)]
        let watched = try train(series, configuration { $0.patience = 0 })
        let dataset = try Dataset(series, for: Synthetic.point)
        let split = try DatasetSplit(dataset, configuration())
        let learner = Learner(
            LSTMParameters(drawnFor: watched.model.parameters.shape, hasInitialState: false, forgetBias: 0, seed: 0),
            manifest: Synthetic.point, configuration: configuration(), rows: 8, steps: 80)
        var kept: [LSTMParameters] = []
        for epoch in 0..<3 {
            let plan = BatchPlan.epoch(epoch, of: split.train, policy: .acrossBatches, configuration())
            let states = LaneStates(shape: watched.model.parameters.shape, lanes: plan.lanes)
            for batch in plan.batches { _ = learner.step(batch, of: dataset, states: states, epoch: epoch) }
            kept.append(learner.parameters)
        }
        #expect(watched.model.parameters == kept[watched.bestEpoch - 1])
    }

    @Test func divergenceBeforeAnyEpochIsAnErrorThatNamesTheBatch() throws {
        let error = #expect(throws: SluiceError.self) {
            try train([Synthetic.wave(100)], configuration { ($0.learningRate, $0.rows) = (1e38, 1) })
        }
        #expect(error?.code == .trainingDiverged)
        #expect(error?.message.contains("epoch 1, batch 2") == true)
    }

    @Test func divergenceLaterKeepsTheLastGoodModel() throws {
        // One batch an epoch: the first leaves parameters of 1e37, with which the second gradient overflows.
        let result = try train(
            [Synthetic.wave(200, boundaryEvery: 10)], configuration { ($0.learningRate, $0.rows) = (1e37, 64) })
        #expect(result.stop == .diverged(epoch: 2, batch: 1))
        #expect(result.bestEpoch == 1)
        #expect(result.model.parameters.values.allSatisfy { $0.isFinite })
    }

    /// A loss that grows and stays finite is no training either.
    @Test func aLossTenTimesTheFirstEpochsEndsTraining() throws {
        var policies = configuration { ($0.epochs, $0.patience, $0.clip) = (40, 0, 0) }
        // Without bounds on them, such steps grow with each other.
        (policies.optimizer, policies.momentum, policies.learningRate) = (.sgd, 0.99, 3)
        let result = try train([Synthetic.wave(300)], policies)
        guard case .diverged(let epoch, let batch) = result.stop else {
            Issue.record("stopped: \(result.stop), \(result.epochs.map(\.train.loss))")
            return
        }
        let losses = result.epochs.map(\.train.loss)
        #expect(epoch == losses.count + 1 && batch >= 1 && losses.allSatisfy { $0 <= 10 * losses[0] })
        let best = result.epochs.min { ($0.validation?.loss ?? .nan) < ($1.validation?.loss ?? .nan) }
        #expect(result.bestEpoch == best?.epoch && result.isMeasured)
        #expect(result.model.parameters.values.allSatisfy { $0.isFinite })
    }

    /// What is cancelled when training has ended costs no model, and what was measured before remains.
    @Test(arguments: [0, 1, 3, 6]) func aMeasurementThatIsCancelledLeavesTheModel(after batches: Int) throws {
        let configuration = configuration { ($0.test, $0.rows) = (0.15, 2) }
        let whole = try train([Synthetic.wave(300)], configuration)
        let counter = Counter()
        let cut = try train([Synthetic.wave(300)], configuration, isMeasuringCancelled: { counter.next() > batches })
        #expect(whole.isMeasured && whole.test != nil && !cut.isMeasured && cut.test == nil)
        #expect(cut.model.parameters == whole.model.parameters && cut.stop == .completed)
        #expect(cut.bestEpoch == whole.bestEpoch && cut.epochs == whole.epochs)
        #expect(cut.carryGap == nil || cut.carryGap == whole.carryGap)
    }

    @Test func cancellationKeepsTheBestModelSoFar() throws {
        let counter = Counter()
        let result = try train([Synthetic.wave(300)], configuration(), isCancelled: { counter.next() > 7 })
        #expect(result.stop == .cancelled)
        #expect(result.bestEpoch == result.epochs.count)
        #expect(result.model.parameters.values.allSatisfy { $0.isFinite })
    }

    @Test func progressCountsBatchesEpochsAndObservations() throws {
        var batches: [TrainingProgress.Batch] = []
        var (epochs, measured, unheard) = (0, 0, 0)
        let result = try train(
            [Synthetic.wave(200)], configuration { $0.carry = [.perBatch, .acrossBatches] },
            progress: {
                switch $0 {
                case .batch(let batch): batches.append(batch)
                case .measuring: measured += 1
                case .trained: #expect(epochs == 3)
                case .epoch:
                    epochs += 1
                    if measured < epochs { unheard += 1 }
                }
            })
        #expect(epochs == 3)
        // Neither the validation of an epoch nor the two sides of the carry gap at the end are silent.
        #expect(unheard == 0 && measured >= 3 + 2)
        #expect(result.epochs.map(\.policy) == [.perBatch, .acrossBatches, .acrossBatches])
        #expect(batches.last?.observations == 3 * 170)
        #expect(batches.filter { $0.batch == $0.batches }.map(\.epoch) == [1, 2, 3])
    }

    @Test func constantTargetsAndStreamsShorterThanAChunkTrain() throws {
        var constant = Synthetic.wave(30, boundaryEvery: 3)
        constant.targets = Column(constant.targets.map { _ in 0 })
        constant.inputs = Column(constant.inputs.map { _ in 0 })
        let result = try train([constant], configuration { ($0.chunk, $0.validation, $0.patience) = (64, 0, 1) })
        #expect(result.stop == .completed)
        #expect(result.bestEpoch == 3)
        #expect(result.carryGap == nil)
    }

    @Test func aTrainingPartWithoutTargetsIsAnError() throws {
        var series = Synthetic.wave(100)
        for row in 0..<85 { series.targets[row] = .nan }
        let error = #expect(throws: SluiceError.self) { try train([series], configuration()) }
        #expect(error?.message.contains("training part") == true)
    }

    @Test(arguments: InitialStateKind.allCases)
    func everyInitialStateTrainsAndIsServedByItsMean(_ kind: InitialStateKind) throws {
        var manifest = Synthetic.point
        manifest.initialState = kind
        let series = [Synthetic.wave(300, boundaryEvery: 5)]
        let result = try train(series, configuration(), manifest: manifest, layers: 2)
        #expect(try train(series, configuration(), manifest: manifest, layers: 2).epochs == result.epochs)
        let last = try #require(result.epochs.last)
        #expect(last.train.loss < result.epochs[0].train.loss)
        let start = InitialStates(result.model).mean.filter { $0 != 0 }
        switch kind {
        case .zero, .normal: #expect(start.isEmpty)
        case .uniform: #expect(start == [Float](repeating: 0.5, count: 4 * 6))
        case .learned, .learnedNoise: #expect(Set(start).count == 4 * 6)
        }
        if result.bestEpoch == 3, let served = result.carryGap?.carried, let validation = last.validation {
            #expect(abs(served.loss / validation.loss - 1) < 1e-4)
        }
    }

    @Test func everyArrangementOptimizerAndScheduleTrainsAndRepeatsToTheBit() throws {
        let series = [Synthetic.wave(400), Synthetic.wave(150, name: "short")]
        for (policy, order) in [
            (CarryPolicy.perBatch, RowOrder.lanes), (.acrossBatches, .lanes), (.acrossBatches, .strided),
            (.acrossSequences, .lanes),
        ] {
            for optimizer in OptimizerKind.allCases {
                for schedule in LearningRateSchedule.allCases {
                    let configuration = configuration {
                        ($0.carry, $0.order, $0.optimizer, $0.schedule) = ([policy], order, optimizer, schedule)
                        ($0.scheduleEpochs, $0.dropout) = (1, 0.1)
                    }
                    let result = try train(series, configuration, layers: 2)
                    #expect(result.stop == .completed)
                    #expect(result.epochs[2].train.loss < result.epochs[0].train.loss, "\(policy) \(optimizer)")
                    #expect(try train(series, configuration, layers: 2).model == result.model)
                }
            }
        }
    }

    @Test func testRowsAreScoredAtTheEnd() throws {
        let result = try train([Synthetic.wave(400, boundaryEvery: 1_000)], configuration { $0.test = 0.1 })
        #expect(result.test?.count == 39)
    }

    @Test func trainingAndServingKernelsAgreeOnTheSameRows() throws {
        let dataset = try Dataset([Synthetic.wave(100, boundaryEvery: 20)], for: Synthetic.point)
        let shape = LSTMShape(inputs: 1, hidden: 7, layers: 2, outputs: 1)
        let parameters = LSTMParameters(drawnFor: shape, hasInitialState: false, forgetBias: 1, seed: 3)
        let configuration = configuration()
        let segments = dataset.series[0].segments.map { Segment(series: 0, rows: $0) }
        let learner = Learner(
            parameters, manifest: Synthetic.point, configuration: configuration, rows: 8, steps: 80)
        let evaluator = Evaluator(dataset: dataset, manifest: Synthetic.point, configuration: configuration)
        let gap = CarryGap(
            resetPerChunk: evaluator.resetPerChunk(segments, parameters: parameters) {},
            carried: evaluator.carried(segments, parameters: parameters) {})
        for (policy, served) in [(CarryPolicy.perBatch, gap.resetPerChunk), (.acrossBatches, gap.carried)] {
            let trained = evaluator.evaluate(segments, policy: policy, with: learner) {}
            #expect(trained.count == served.count)
            #expect(abs(trained.loss - served.loss) < 1e-5 * served.loss)
        }
        #expect(gap.difference != 0)
    }
}

/// Counts calls from a closure that may be sent anywhere.
private final class Counter: Sendable {
    private let count = Atomic(0)

    func next() -> Int { count.add(1, ordering: .relaxed).newValue }
}
