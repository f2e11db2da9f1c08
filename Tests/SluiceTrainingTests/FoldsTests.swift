import SluiceCore
import SluiceLSTM
import Testing

@testable import SluiceTraining

@Suite struct FoldsTests {
    private func configuration(_ change: (inout TrainingConfiguration) -> Void = { _ in }) -> TrainingConfiguration {
        var configuration = TrainingConfiguration()
        (configuration.chunk, configuration.rows, configuration.epochs, configuration.threads) = (10, 8, 2, 1)
        configuration.learningRate = 0.01
        change(&configuration)
        return configuration
    }

    private func train(
        _ dataset: Dataset, _ split: DatasetSplit, _ configuration: TrainingConfiguration
    ) throws -> TrainingResult {
        try Trainer.train(
            dataset, manifest: Synthetic.point, shape: LSTMShape(inputs: 1, hidden: 4, layers: 1, outputs: 1),
            split: split, configuration: configuration)
    }

    @Test func partsInTimeAreEqualAndAllBeforeOneTrainsForIt() throws {
        let dataset = try Dataset([Synthetic.wave(500, boundaryEvery: 10_000)], for: Synthetic.point)
        let splits = try Folds.splits(3, of: dataset, configuration { $0.test = 0.2 })
        // 400 rows without the test, in 4 parts; of what is before a part the last 15 % choose the epoch.
        #expect(splits.map { $0.train[0].rows } == [0..<85, 0..<170, 0..<255])
        #expect(splits.map { $0.validation[0].scoredFrom } == [85, 170, 255])
        #expect(splits.map { $0.validation[0].rows.upperBound } == [100, 200, 300])
        #expect(splits.map { $0.test[0].scoredFrom..<$0.test[0].rows.upperBound } == [100..<200, 200..<300, 300..<400])
        // As DatasetSplit leads in: four chunks.
        #expect(splits.map { $0.test[0].rows.lowerBound } == [60, 160, 260])
        #expect(splits.map(\.testFrom) == [100, 200, 300] && splits.map(\.testedRows) == [100, 100, 100])
    }

    @Test func withoutValidationAFoldTrainsOnAllBeforeIt() throws {
        let dataset = try Dataset([Synthetic.wave(300)], for: Synthetic.point)
        let splits = try Folds.splits(2, of: dataset, configuration { $0.validation = 0 })
        #expect(splits.map(\.trainedRows) == [100, 200] && splits.allSatisfy { $0.validation.isEmpty })
    }

    /// The back-test does not look ahead: neither weights nor the choice of the epoch.
    @Test func noRowFromAFoldsStartOnInfluencesItsModel() throws {
        let series = [Synthetic.wave(300), Synthetic.wave(240, name: "other", scale: 3)]
        let settings = configuration { ($0.epochs, $0.patience) = (6, 2) }
        let dataset = try Dataset(series, for: Synthetic.point)
        for (fold, split) in try Folds.splits(2, of: dataset, settings).enumerated() {
            let from = try #require(split.testFrom)
            let changed = series.map { one in
                var one = one
                for row in 0..<one.count where one.times[row] >= from {
                    (one.inputs[row], one.targets[row]) = (-3 * one.inputs[row] + 1, 100 - one.targets[row])
                }
                return one
            }
            let other = try Dataset(changed, for: Synthetic.point)
            let mine = try train(dataset, split, settings)
            let theirs = try train(other, try Folds.splits(2, of: other, settings)[fold], settings)
            #expect(mine.model.parameters == theirs.model.parameters && mine.epochs == theirs.epochs)
            #expect(mine.test != theirs.test)
            // While the row before it does.
            var before = series
            let last = try #require(before[0].times.lastIndex { $0 < from })
            before[0].targets[last] += 5
            before[0].inputs[last] += 5
            let touched = try Dataset(before, for: Synthetic.point)
            let moved = try train(touched, try Folds.splits(2, of: touched, settings)[fold], settings)
            #expect(mine.epochs != moved.epochs)
        }
    }

    @Test func groupsOfStreamsAreAlikeInRowsAndDrawnFromTheSeed() throws {
        let series = (0..<9).map { Synthetic.wave(100 + 10 * $0, name: "s\($0)") }
        let dataset = try Dataset(series, for: Synthetic.point)
        let splits = try Folds.splits(3, of: dataset, configuration { $0.by = .stream })
        let held = splits.map { Set($0.test.map(\.series)) }
        #expect(held.reduce(into: Set()) { $0.formUnion($1) } == Set(0..<9))
        #expect(held.map(\.count).reduce(0, +) == 9)
        // 1,260 rows: 420 a group, give or take.
        #expect(splits.allSatisfy { abs($0.testedRows - 420) <= 20 && $0.testFrom == nil })
        for split in splits {
            let (train, validation, test) = (split.train, split.validation, split.test)
            let parts = [train, validation, test].map { Set($0.map(\.series)) }
            #expect(parts[0].isDisjoint(with: parts[1]) && parts[0].union(parts[1]).isDisjoint(with: parts[2]))
            #expect(!parts[1].isEmpty)
        }
        let equal = try Dataset((0..<8).map { Synthetic.wave(50, name: "s\($0)") }, for: Synthetic.point)
        func groups(_ seed: UInt64) throws -> [Set<Int>] {
            try Folds.splits(4, of: equal, configuration { ($0.by, $0.seed) = (.stream, seed) })
                .map { Set($0.test.map(\.series)) }
        }
        #expect(try groups(1) == groups(1) && groups(1) != groups(2))
        #expect(try groups(1).allSatisfy { $0.count == 2 })
    }

    @Test func streamsOfTheTestAreInNoFold() throws {
        let dataset = try Dataset((0..<6).map { Synthetic.wave(60, name: "s\($0)") }, for: Synthetic.point)
        let settings = configuration { ($0.by, $0.test) = (.stream, 0.3) }
        let kept = Set(try DatasetSplit(dataset, settings).test.map(\.series))
        #expect(kept.count == 2)
        for split in try Folds.splits(2, of: dataset, settings) {
            #expect(kept.isDisjoint(with: (split.train + split.validation + split.test).map(\.series)))
        }
    }

    @Test func whatCannotBeFoldedSaysWhy() throws {
        func message(_ count: Int, _ series: [TrainingSeries], _ by: HoldOut) throws -> String {
            let dataset = try Dataset(series, for: Synthetic.point)
            let error = #expect(throws: SluiceError.self) {
                try Folds.splits(count, of: dataset, configuration { $0.by = by })
            }
            return error?.message ?? ""
        }
        let two = [Synthetic.wave(40), Synthetic.wave(40, name: "b")]
        #expect(try message(3, two, .stream).contains("3 folds by stream need as many streams: there are 2"))
        #expect(try message(2, two, .stream).contains("fold 1: no observation is left to train on"))
        #expect(try message(5, [Synthetic.wave(5)], .time).contains("too few observations for 5 folds by time: 5"))
        // Rows in plenty, but all at one time.
        var still = Synthetic.wave(50)
        still.times = Column(still.times.map { _ in 7 })
        #expect(try message(2, [still], .time).contains("do not make 3 parts in time"))
    }

    @Test func spreadIsMeanAndSampleDeviation() throws {
        let spread = try #require(FoldSpread([1, 2, 6]))
        #expect(spread.mean == 3 && abs(spread.deviation * spread.deviation - 7) < 1e-12)
        #expect(FoldSpread([1, nil]) == nil)
    }

    @Test func globalScalerKnowsTheTrainingPartAlone() throws {
        var series = Synthetic.wave(100)
        series.raw = Column((0..<100).map { $0 < 85 ? ($0 == 3 ? .nan : Float($0 % 2)) : 1_000 })
        let dataset = try Dataset([series], for: Synthetic.point)
        let scaler = dataset.scaler(of: try DatasetSplit(dataset, configuration()), inputs: 1)
        // 84 values: 41 ones (row 3 is missing) and 43 zeros.
        #expect(abs(scaler.mean[0] - 41 / 84) < 1e-6)
        #expect(abs(scaler.scale[0] - (41.0 * 43).squareRoot() / 84) < 1e-6)
    }
}
