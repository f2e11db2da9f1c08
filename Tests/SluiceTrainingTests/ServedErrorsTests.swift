import SluiceLSTM
import Testing

@testable import SluiceTraining

@Suite struct ServedErrorsTests {
    /// A stream whose values are given, an observation an hour, scaled by 2 around 10.
    private func hourly(_ values: [Float], boundaryEvery: Int = 1_000) -> TrainingSeries {
        var series = TrainingSeries(name: "s")
        for (row, value) in values.enumerated() {
            series.inputs.append(value.isNaN ? 0 : (value - 10) / 2)
            series.targets.append(value)
            series.center.append(10)
            series.scale.append(2)
            series.boundary.append(row % boundaryEvery == 0)
            series.warm.append(true)
            series.times.append(Int64(row) * 3_600_000)
        }
        return series
    }

    /// Answers `biases` whatever it is shown.
    private func errors(
        _ series: TrainingSeries, _ manifest: ModelManifest, biases: [Float], scoredFrom: Int,
        lossAt: LossPlacement = .every
    ) throws -> ServedErrors {
        var parameters = LSTMParameters(
            shape: LSTMShape(inputs: manifest.inputs.count, hidden: 2, layers: 1, outputs: biases.count))
        for (index, bias) in biases.enumerated() { parameters.values[parameters.headBias.lowerBound + index] = bias }
        var configuration = TrainingConfiguration()
        (configuration.chunk, configuration.rows) = (7, 2)
        configuration.lossAt = lossAt
        let evaluator = Evaluator(
            dataset: try Dataset([series], for: manifest), manifest: manifest, configuration: configuration)
        func segments(_ rows: Range<Int>) -> [Segment] {
            series.segments.filter { $0.overlaps(rows) }.map {
                Segment(
                    series: 0, rows: $0.lowerBound..<min($0.upperBound, rows.upperBound),
                    scoredFrom: max($0.lowerBound, rows.lowerBound))
            }
        }
        return evaluator.served(
            segments(scoredFrom..<series.count), as: .validation, training: segments(0..<scoredFrom),
            parameters: parameters
        ) {}.errors
    }

    @Test func modelLastValueAndSeasonAreSetBesideWhatCame() throws {
        var manifest = Synthetic.point
        manifest.horizons = [1, 3]
        let values = (0..<60).map { Float($0 * $0 % 17) }
        // Always 2 · 0.5 + 10 = 11, and 2 · −1 + 10 = 8 three ahead.
        let found = try errors(hourly(values), manifest, biases: [0.5, -1], scoredFrom: 40)
        #expect(found.season == 24 && found.nominalCoverage == nil && found.classes == nil)
        for (place, (horizon, answer)) in [(1, 11.0), (3, 8.0)].enumerated() {
            let came = (40..<60 - horizon).map { (row: $0, value: Double(values[$0 + horizon])) }
            let count = Double(came.count)
            let one = found.horizons[place]
            #expect(one.target == "x" && one.horizon == horizon && one.count == came.count)
            #expect(abs(one.meanAbsoluteError - came.reduce(0) { $0 + abs(answer - $1.value) } / count) < 1e-9)
            let square = came.reduce(0) { $0 + (answer - $1.value) * (answer - $1.value) } / count
            #expect(abs(one.rootMeanSquareError - square.squareRoot()) < 1e-9)
            let naive = came.reduce(0) { $0 + abs(Double(values[$1.row]) - $1.value) } / count
            #expect(abs(one.naiveError - naive) < 1e-9)
            let seasonal = came.reduce(0) { $0 + abs(Double(values[$1.row + horizon - 24]) - $1.value) } / count
            #expect(one.seasonalCount == came.count)
            #expect(abs(try #require(one.seasonalError) - seasonal) < 1e-9)
            #expect(abs(try #require(one.errorWhereSeasonal) - one.meanAbsoluteError) < 1e-12)
            #expect(abs(try #require(one.naiveRatio) - one.meanAbsoluteError / naive) < 1e-12)
        }
    }

    @Test func missingValuesAndRowsBehindABoundaryAreNotJudged() throws {
        var values = (0..<40).map { Float($0) }
        (values[25], values[30]) = (.nan, .nan)
        // 20 to 39, in four sequences of 5: each makes 4 forecasts. 25 and 30 begin theirs: nobody's targets.
        let found = try errors(hourly(values, boundaryEvery: 5), Synthetic.point, biases: [0], scoredFrom: 20)
        #expect(found.horizons[0].count == 16)
        // What is missing leaves the value before it as the last one: 24 for 26 and 29 for 31, two off instead of one.
        #expect(abs(found.horizons[0].naiveError - (14 * 1 + 2 * 2) / 16) < 1e-12)
    }

    /// Rows are missing, but the day before is a matter of time: what repeats daily is foretold without an error.
    @Test func theDayBeforeIsFoundByItsTime() throws {
        var series = TrainingSeries(name: "s")
        let whole = hourly((0..<200).map { Float($0 % 24) })
        for row in 0..<200 where row % 31 != 7 {
            series.inputs.append(whole.inputs[row])
            series.targets.append(whole.targets[row])
            series.center.append(10)
            series.scale.append(2)
            series.boundary.append(row == 0)
            series.warm.append(true)
            series.times.append(whole.times[row])
        }
        let found = try errors(series, Synthetic.point, biases: [0], scoredFrom: 100)
        #expect(found.season == 24 && found.horizons[0].seasonalError == 0)
        // Of those whose time a day before is missing nothing is said.
        #expect(found.horizons[0].seasonalCount < found.horizons[0].count && found.horizons[0].seasonalCount > 80)
    }

    @Test(arguments: [HeadKind.quantile, .gaussian])
    func coverageIsTheShareWithinTheInterval(head: HeadKind) throws {
        var manifest = Synthetic.point
        manifest.head = head
        manifest.quantiles = head == .quantile ? [0.1, 0.5, 0.9] : []
        let values = (0..<40).map { Float($0 % 20) }
        // The quantiles cross, and are sorted: 8, 10, 14. The Gaussian: 10 ± 1.28 · 2.
        let biases: [Float] = head == .quantile ? [2, 0, -1] : [0, 0]
        let inside: Set<Float> = head == .quantile ? [8, 9, 10, 11, 12, 13, 14] : [8, 9, 10, 11, 12]
        let found = try errors(hourly(values), manifest, biases: biases, scoredFrom: 20)
        #expect(abs(try #require(found.nominalCoverage) - 0.8) < 1e-12)
        let came = values[21...]
        #expect(found.horizons[0].coverage == Double(came.count { inside.contains($0) }) / Double(came.count))
    }

    @Test func accuracyStandsBesideTheMostFrequentLabelOfTheTrainingPart() throws {
        var series = hourly((0..<40).map { Float($0) })
        (series.targets, series.center, series.scale) = ([], [], [])
        // Training: 1 is the most frequent. Held out: 1 in 5 of the 20, of which one is not labelled.
        series.labels = Column((0..<40).map { $0 < 20 ? ($0 < 11 ? 1 : 0) : ($0 % 4 == 0 ? 1 : 0) })
        series.labels[21] = -1
        let found = try errors(series, Synthetic.binary, biases: [-3], scoredFrom: 20)
        #expect(found.classes == ServedErrors.Classes(count: 19, accuracy: 14.0 / 19, majority: 5.0 / 19))
        #expect(found.horizons.isEmpty && found.naiveRatio == nil)
    }

    @Test func whereOnlyTheLastStepCountsTheMostFrequentLabelIsThatOfLastSteps() throws {
        var series = hourly((0..<40).map { Float($0) }, boundaryEvery: 5)
        (series.targets, series.center, series.scale) = ([], [], [])
        // 1 at the last step of each sequence, else 0.
        series.labels = Column((0..<40).map { $0 % 5 == 4 ? 1 : 0 })
        let found = try errors(series, Synthetic.binary, biases: [3], scoredFrom: 20, lossAt: .last)
        #expect(found.classes == ServedErrors.Classes(count: 4, accuracy: 1, majority: 1))
    }

    @Test func errorsAreThoseOfTheTestWhereThereIsOne() throws {
        var configuration = TrainingConfiguration()
        (configuration.chunk, configuration.rows, configuration.epochs, configuration.threads) = (10, 8, 1, 1)
        func train() throws -> TrainingResult {
            try Trainer.train(
                try Dataset([Synthetic.wave(400, boundaryEvery: 1_000)], for: Synthetic.point),
                manifest: Synthetic.point, shape: LSTMShape(inputs: 1, hidden: 3, layers: 1, outputs: 1),
                configuration: configuration)
        }
        let watched = try #require(try train().errors)
        #expect(watched.part == .validation && watched.horizons[0].count == 59 && watched.season == nil)
        configuration.test = 0.1
        let tested = try train()
        let errors = try #require(tested.errors)
        #expect(errors.part == .test && errors.horizons[0].count == 39)
        // The loss is the mean square in scaled units, which here are the target's own.
        let square = errors.horizons[0].rootMeanSquareError * errors.horizons[0].rootMeanSquareError
        #expect(abs(square / (try #require(tested.test).loss) - 1) < 1e-5)
        (configuration.test, configuration.validation) = (0, 0)
        #expect(try train().errors == nil)
    }
}
