import SluiceCore
import SluiceLSTM
import Testing

@testable import SluiceTraining

@Suite struct DatasetTests {
    @Test func lastPartInTimeIsHeldOutWithALeadInThatDoesNotCount() throws {
        var configuration = TrainingConfiguration()
        (configuration.chunk, configuration.validation, configuration.test) = (2, 0.2, 0.1)
        let dataset = try Dataset([Synthetic.wave(100, boundaryEvery: 40)], for: Synthetic.point)
        let split = try DatasetSplit(dataset, configuration)
        #expect(split.train == [Segment(series: 0, rows: 0..<40), Segment(series: 0, rows: 40..<70)])
        #expect(
            split.validation == [
                Segment(series: 0, rows: 62..<80, scoredFrom: 70), Segment(series: 0, rows: 80..<90),
            ])
        #expect(split.test == [Segment(series: 0, rows: 82..<100, scoredFrom: 90)])
    }

    /// A single time of the year 2099, wherever it is, moves the cut by one row; nothing that is validated lies before
    /// what is trained on.
    @Test(arguments: [0, 3, 45, 69, 99]) func aWrongTimeMovesTheCutByOneRowAtMost(row: Int) throws {
        var configuration = TrainingConfiguration()
        (configuration.chunk, configuration.validation, configuration.test) = (2, 0.2, 0.1)
        var series = Synthetic.wave(100, boundaryEvery: 40)
        series.times[row] = 4_070_908_800_000
        let dataset = try Dataset([series], for: Synthetic.point)
        let split = try DatasetSplit(dataset, configuration)
        let division = DataDivision(split, of: dataset, configuration)
        #expect(division.trained == 70 && division.validated == 20 && division.tested == 10)
        #expect(division.outOfOrder == (row == 99 ? 0 : 1) && division.warnings.count == division.outOfOrder)
        let firsts = [split.validation, split.test].map { $0.map(\.scoredFrom).min() }
        #expect(firsts == [70, 90] && split.train.allSatisfy { $0.rows.upperBound <= 70 })
    }

    @Test func aTrainingPartFarSmallerThanWantedIsTold() throws {
        var configuration = TrainingConfiguration()
        // Most observations have the time of a bulk import.
        var series = Synthetic.wave(100)
        for row in 10..<100 { series.times[row] = 1_000 }
        var dataset = try Dataset([series], for: Synthetic.point)
        var division = DataDivision(try DatasetSplit(dataset, configuration), of: dataset, configuration)
        #expect(division.trained == 10 && division.wanted == 85 && division.outOfOrder == 0)
        #expect(division.warnings.count == 1 && division.warnings[0].hasPrefix("only 10 observations are trained on"))
        // All of them: nothing is before.
        for row in 0..<10 { series.times[row] = 1_000 }
        dataset = try Dataset([series], for: Synthetic.point)
        let error = #expect(throws: SluiceError.self) { try DatasetSplit(dataset, configuration) }
        #expect(error?.message.contains("no observation is left to train on: 100 in all") == true)
        #expect(error?.remedy?.contains("are the times right?") == true)
        configuration.by = .stream
        // One stream has most of them, wherever it is drawn.
        for seed in UInt64(0)..<8 {
            configuration.seed = seed
            dataset = try Dataset(
                [Synthetic.wave(1_000, name: "long")] + (0..<3).map { Synthetic.wave(60, name: "\($0)") },
                for: Synthetic.point)
            let split = try DatasetSplit(dataset, configuration)
            division = DataDivision(split, of: dataset, configuration)
            #expect(division.warnings.count == (division.trained < 1_000 ? 1 : 0))
        }
    }

    @Test func wholeStreamsAreHeldOutByTheSeed() throws {
        var configuration = TrainingConfiguration()
        (configuration.by, configuration.validation) = (.stream, 0.25)
        let dataset = try Dataset((0..<8).map { Synthetic.wave(50, name: "\($0)") }, for: Synthetic.point)
        let split = try DatasetSplit(dataset, configuration)
        #expect(split.validation.count == 2)
        #expect(split.train.count == 6)
        #expect(Set(split.train.map(\.series)).isDisjoint(with: split.validation.map(\.series)))
        #expect(try DatasetSplit(dataset, configuration).validation == split.validation)
    }

    @Test func targetsAreNormalisedWithTheForecastsOwnRowAndMaskedPastTheSegment() throws {
        var manifest = Synthetic.point
        manifest.horizons = [1, 3]
        var series = Synthetic.wave(5, boundaryEvery: 100)
        series.targets = [10, 20, 30, .nan, 50]
        series.center = [1, 2, 3, 4, 5]
        series.scale = [2, 2, 4, 4, 4]
        series.warm[0] = false
        let dataset = try Dataset([series], for: manifest)
        var packed = PackedBatch()
        packed.pack(BatchPlan.lanes([Segment(series: 0, rows: 0..<5)], chunk: 8, rows: 1).batches[0])
        let masked = targets(packed, dataset, manifest, .every)
        #expect(masked == [nil, nil, 14, 24, nil, nil, 11.5, nil, nil, nil])
        #expect(targets(packed, dataset, manifest, .last) == [nil, nil, nil, 24, nil, nil, 11.5, nil, nil, nil])
    }

    @Test func labelsOfMinusOneAndNaNAreMasked() throws {
        var series = Synthetic.longMemory(sequences: 1, hold: 0, seed: 0)
        series.labels[3] = -1
        series.labels[4] = .nan
        let dataset = try Dataset([series], for: Synthetic.binary)
        var packed = PackedBatch()
        packed.pack(BatchPlan.lanes([Segment(series: 0, rows: 0..<20)], chunk: 20, rows: 1).batches[0])
        #expect(targets(packed, dataset, Synthetic.binary, .every).map { $0 == nil }.filter { $0 }.count == 2)
        let last = targets(packed, dataset, Synthetic.binary, .last)
        #expect(last.dropLast().allSatisfy { $0 == nil })
        #expect(last.last == 0)
    }

    private func targets(
        _ packed: PackedBatch, _ dataset: Dataset, _ manifest: ModelManifest, _ placement: LossPlacement
    ) -> [Float?] {
        let count = packed.count * HeadLoss(manifest).width
        let block = FloatBlock(parts: [count])
        let out = block.take(count)
        LossTargets(manifest, placement).fill(packed, of: dataset, into: out)
        return withExtendedLifetime(block) { (0..<count).map { out[$0].isNaN ? nil : out[$0] } }
    }

    @Test func dataFromWhichNothingCanBeLearntSaysWhy() throws {
        func message(_ series: [TrainingSeries], _ manifest: ModelManifest) -> String {
            let error = #expect(throws: SluiceError.self) { try Dataset(series, for: manifest) }
            #expect(error?.code == .invalidInput)
            return error?.description ?? ""
        }
        #expect(message([], Synthetic.point).contains("no observations"))
        #expect(message([TrainingSeries(name: "empty")], Synthetic.point).contains("no observations"))
        #expect(message([Synthetic.wave(1)], Synthetic.point).contains("smallest horizon of 1"))
        var unlabelled = Synthetic.longMemory(sequences: 2, hold: 0, seed: 0)
        unlabelled.labels = Column(unlabelled.labels.map { _ in .nan })
        #expect(message([unlabelled], Synthetic.binary).contains("no warm observation has a label"))
        unlabelled.labels[3] = 2
        #expect(message([unlabelled], Synthetic.binary).contains("row 3: label 2.0"))
        var broken = Synthetic.wave(10)
        broken.inputs[4] = .infinity
        #expect(message([broken], Synthetic.point).contains("stream wave, row 4: input x is not finite"))
    }

    @Test func splitsThatLeaveNothingSayWhy() throws {
        var configuration = TrainingConfiguration()
        configuration.by = .stream
        let one = try Dataset([Synthetic.wave(20)], for: Synthetic.point)
        #expect(throws: SluiceError.self) { try DatasetSplit(one, configuration) }
        (configuration.by, configuration.validation) = (.time, 0.01)
        #expect(throws: SluiceError.self) { try DatasetSplit(one, configuration) }
    }

    private static let changes: [(String, @Sendable (inout TrainingConfiguration) -> Void)] = [
        ("carry", { $0.carry = [] }), ("momentum", { $0.momentum = 1 }), ("weight_decay", { $0.weightDecay = -1 }),
        ("schedule_epochs", { $0.scheduleEpochs = 0 }), ("schedule_factor", { $0.scheduleFactor = 1 }),
        ("dropout", { $0.dropout = 1 }), ("chunk", { $0.chunk = 0 }), ("rows", { $0.rows = 0 }),
        ("epochs", { $0.epochs = 0 }), ("learning_rate", { $0.learningRate = .nan }), ("clip", { $0.clip = -1 }),
        ("validation", { $0.validation = 1 }), ("forget_bias", { $0.forgetBias = 2 }),
        ("threads", { $0.threads = 0 }), ("patience", { $0.patience = -1 }),
    ]

    @Test func entriesOutOfRangeAreNamed() throws {
        try TrainingConfiguration().validate()
        for (entry, change) in Self.changes {
            var configuration = TrainingConfiguration()
            change(&configuration)
            let error = #expect(throws: SluiceError.self) { try configuration.validate() }
            #expect(error?.message.contains("train.\(entry)") == true)
        }
    }
}
