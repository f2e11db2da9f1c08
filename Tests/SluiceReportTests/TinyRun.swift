import SluiceCore
import SluiceLSTM

@testable import SluiceReport
@testable import SluiceTraining

/// A run made up number by number: no arithmetic of a processor is in it.
enum TinyRun {
    static func manifest(_ head: HeadKind = .quantile) -> ModelManifest {
        ModelManifest(
            name: "pumps <1>", version: "v1a2b3c4d", inputs: ["temperature", "load & more"],
            targets: head.classifies ? [] : ["temperature", "load & more"], horizons: head.classifies ? [] : [1, 6],
            head: head, quantiles: head == .quantile ? [0.1, 0.5, 0.9] : [], scaling: .perStream)
    }

    static func evaluation(_ loss: Double, _ head: HeadKind = .quantile) -> Evaluation {
        Evaluation(LossSum(sum: 100 * loss, count: 100, correct: 75), manifest(head))
    }

    static func epochs(_ count: Int, _ head: HeadKind = .quantile) -> [TrainingProgress.Epoch] {
        (1...count).map {
            TrainingProgress.Epoch(
                epoch: $0, policy: $0 == 1 ? .perBatch : .acrossBatches, train: evaluation(1 / Double($0), head),
                validation: evaluation(0.75 / Double($0) + 0.01 * Double($0), head))
        }
    }

    static var horizons: [HorizonError] {
        ["temperature", "load & more"].flatMap { target in
            [1, 6].map { horizon in
                var error = HorizonError(target: target, horizon: horizon)
                for row in 0..<10 {
                    let middle = Double(row) * (target == "temperature" ? 0.25 : 1.5)
                    error.add(
                        (middle - 1, middle, middle + 1), observed: 0, last: Double(horizon) + 1,
                        season: row < 5 ? 2 : nil)
                }
                return error
            }
        }
    }

    static func result(_ head: HeadKind = .quantile, stop: TrainingResult.Stop = .early) -> TrainingResult {
        TrainingResult(
            model: model(head), epochs: epochs(9, head), bestEpoch: 8, stop: stop,
            carryGap: CarryGap(resetPerChunk: evaluation(0.25, head), carried: evaluation(0.1875, head)), test: nil,
            errors: ServedErrors(
                part: .validation, horizons: head.classifies ? [] : horizons,
                nominalCoverage: head == .quantile ? 0.8 : nil, season: head.classifies ? nil : 288,
                classes: head.classifies ? ServedErrors.Classes(count: 40, accuracy: 0.75, majority: 0.625) : nil),
            incumbent: nil)
    }

    static func search(_ rows: [TuningResult.Row]) -> TuningResult { TuningResult(rows: rows) }

    /// Three trials, of which two went on and one diverged then.
    static var tuning: TuningResult {
        func row(_ number: Int, rung: Int, epochs: Int, _ loss: Double?) -> TuningResult.Row {
            TuningResult.Row(
                trial: TuningTrial(
                    number: number, chunk: 16 * number, hidden: 4, learningRate: 0.00025 * Double(number),
                    carry: CarryPolicy.allCases[number % 3]),
                rung: rung, epochs: epochs, loss: loss)
        }
        return TuningResult(rows: [
            row(2, rung: 1, epochs: 2, 0.5), row(1, rung: 1, epochs: 2, 0.625), row(3, rung: 1, epochs: 2, 0.75),
            row(2, rung: 2, epochs: 6, 0.25), row(1, rung: 2, epochs: 6, nil),
        ])
    }

    static func model(_ head: HeadKind = .quantile) -> Model {
        let manifest = manifest(head)
        let data = DataManifest(
            files: [
                DataManifest.File(
                    name: "pumps.csv", bytes: 123_456, sha256: String(repeating: "ab", count: 32), observations: 1_234,
                    rejects: 2, first: "2026-01-01T00:00:00Z", last: "2026-02-01T00:00:00Z")
            ],
            topic: DataManifest.Topic(
                name: "observations", cluster: "c1", window: 30 * 86_400_000,
                partitions: [
                    DataManifest.Partition(
                        partition: 3, from: 17, to: 1_017, observations: 1_000, rejects: 0, first: nil, last: nil)
                ]),
            observations: 2_234, streams: 2, rejects: ["json-invalid": 2],
            heldOut: DataManifest.HeldOut(by: "time", validationFrom: "2026-01-28T00:00:00Z"))
        return Model(
            manifest: manifest,
            parameters: LSTMParameters(
                shape: LSTMShape(inputs: 2, hidden: 4, layers: 1, outputs: manifest.outputs)),
            data: data, hash: String(repeating: "cd", count: 32))
    }

    static func folds() throws -> [FoldResult] {
        var series = TrainingSeries(name: "s")
        for row in 0..<3_000 {
            series.inputs += [0, 0]
            series.targets += [1, 1]
            series.center += [0, 0]
            series.scale += [1, 1]
            series.boundary.append(row == 0)
            series.warm.append(true)
            series.times.append(1_767_225_600_000 + Int64(row) * 60_000)
        }
        let result = TrainingResult(
            model: model(), epochs: epochs(4), bestEpoch: 3, stop: .completed, carryGap: nil, test: evaluation(0.25),
            errors: result().errors, incumbent: nil)
        return try Folds.splits(2, of: try Dataset([series], for: manifest()), TrainingConfiguration())
            .enumerated().map { FoldResult($0 + 1, $1, result) }
    }

    static func page(_ head: HeadKind = .quantile, stop: TrainingResult.Stop = .early, folds: [FoldResult] = [])
        -> TrainingPage
    {
        TrainingPage(
            model: model(head), result: result(head, stop: stop), folds: folds, training: TrainingConfiguration(),
            configuration: "application: pumps <1>\nmodel:\n  hidden: 4\n", started: Timestamp(1_767_225_600_000),
            seconds: 83.2)
    }
}
