import SluiceCore
import SluiceLSTM
import Synchronization
import Testing

@testable import SluiceTraining

/// The search over real trainings.
@Suite struct TuningTests {
    private static func configuration(
        _ change: (inout TrainingConfiguration) -> Void = { _ in }
    ) -> TrainingConfiguration {
        var configuration = TrainingConfiguration()
        (configuration.rows, configuration.epochs, configuration.threads) = (8, 9, 2)
        change(&configuration)
        return configuration
    }

    private func search(
        _ trials: Int, _ series: [TrainingSeries] = [Synthetic.wave(600)],
        configuration: TrainingConfiguration = Self.configuration(), finished: TuningRecord? = nil,
        isCancelled: @escaping @Sendable () -> Bool = { false },
        keep: @escaping (TuningRecord) throws -> Void = { _ in }
    ) throws -> TuningResult {
        try Tuner.search(
            Tuner.Request(trials: trials, finished: finished, keep: keep), try Dataset(series, for: Synthetic.point),
            manifest: Synthetic.point, shape: LSTMShape(inputs: 1, hidden: 4, layers: 1, outputs: 1),
            configuration: configuration, isCancelled: isCancelled)
    }

    @Test func aTrialIsDrawnFromSeedAndNumberAlone() {
        let trials = (1...200).map { TuningTrial(number: $0, around: 64, seed: 7) }
        #expect(TuningTrial(number: 150, around: 64, seed: 7) == trials[149])
        #expect(TuningTrial(number: 150, around: 64, seed: 8) != trials[149])
        #expect(Set(trials.map(\.chunk)) == [16, 32, 64, 128, 256])
        #expect(Set(trials.map(\.hidden)) == [16, 32, 64, 128])
        #expect(Set(trials.map(\.carry)) == Set(CarryPolicy.allCases))
        let rates = trials.map(\.learningRate)
        #expect(rates.allSatisfy { TuningTrial.learningRates.contains($0) })
        // As many below the middle of the logarithm as above it.
        #expect(abs(rates.count { $0 < 1e-3 } - 100) < 25)
        // Two digits, so that what is printed is the very number.
        #expect(rates.allSatisfy { "\($0)".drop { "0.".contains($0) }.count <= 2 })
        #expect(TuningTrial(number: 1, around: 1, seed: 7).hidden >= 1)
    }

    @Test func sameSeedGivesTheSameTableWhateverRunsAtATime() throws {
        let first = try search(7)
        #expect(try search(7, configuration: Self.configuration { $0.threads = 1 }) == first)
        #expect(try search(7, configuration: Self.configuration { $0.threads = 5 }) == first)
        #expect(try search(7, configuration: Self.configuration { $0.seed = 1 }) != first)
    }

    /// A trial that goes on is what it would have been without a stop, and what training with its settings comes to.
    @Test func aRowIsWhatTrainingWithThoseSettingsComesTo() throws {
        let last = try #require(try search(9).rows.last { $0.rung == 2 })
        #expect(last.epochs == 3)
        let dataset = try Dataset([Synthetic.wave(600)], for: Synthetic.point)
        let trained = try Trainer.train(
            dataset, manifest: Synthetic.point,
            shape: LSTMShape(inputs: 1, hidden: last.trial.hidden, layers: 1, outputs: 1),
            configuration: last.trial.applied(to: Self.configuration { ($0.epochs, $0.threads) = (3, 1) }))
        #expect(trained.carryGap?.carried.loss == last.loss)
    }

    @Test func interruptedAndResumedIsAsUninterrupted() throws {
        let whole = try search(9)
        for limit in [1, 5, 10] {
            var kept: TuningRecord?
            let isOver = Flag()
            #expect(throws: CancellationError.self) {
                _ = try search(
                    9, isCancelled: { isOver.isSet },
                    keep: {
                        kept = $0
                        if $0.rows.count >= limit { isOver.set() }
                    })
            }
            let record = try #require(kept)
            #expect(record.rows.count >= limit && record.rows.count < 12)
            #expect(try search(9, finished: record) == whole)
        }
    }

    @Test func trainingsThatAllDivergeAreAnErrorThatSaysSo() throws {
        // The gradient of targets this large is no float.
        var series = Synthetic.wave(600, scale: 3e38)
        series.scale = Column(series.scale.map { _ in 1 })
        let error = #expect(throws: SluiceError.self) { try search(3, [series]) }
        #expect(error?.code == .trainingDiverged && error?.message.contains("each of 3 trials") == true)
    }

    @Test func aSearchOfOtherSettingsDataOrTrialsIsRefused() throws {
        var kept: TuningRecord?
        _ = try search(3, keep: { kept = $0 })
        let others: [(Int, [TrainingSeries], TrainingConfiguration, String)] = [
            (4, [Synthetic.wave(600)], Self.configuration(), "trials was 3 and is 4"),
            (3, [Synthetic.wave(601)], Self.configuration(), "data was 600 observations"),
            (3, [Synthetic.wave(600)], Self.configuration { $0.seed = 1 }, "train.seed was 0 and is 1"),
        ]
        for (trials, series, configuration, what) in others {
            let error = #expect(throws: SluiceError.self) {
                try search(trials, series, configuration: configuration, finished: kept)
            }
            #expect(error?.code == .foreignCheckpoint && error?.message.contains(what) == true)
        }
    }

    @Test func withoutValidationThereIsNothingToCompareBy() {
        let error = #expect(throws: SluiceError.self) {
            try search(3, configuration: Self.configuration { $0.validation = 0 })
        }
        #expect(error?.code == .invalidConfiguration)
    }

    private final class Flag: Sendable {
        private let value = Atomic<Bool>(false)
        var isSet: Bool { value.load(ordering: .relaxed) }
        func set() { value.store(true, ordering: .relaxed) }
    }
}
