import SluiceLSTM
import SluiceTraining

extension Experiment {
    /// The three policies on the long-memory sequences, with the same epochs, over several lengths of a chunk.
    package static let carry = Experiment(
        name: "carry",
        question: "How far back can a network learn to look under each carry policy, and what does it cost?",
        setUps: chunks.flatMap { chunk in CarryPolicy.allCases.map { setUp(chunk, $0) } }, report: report)

    private static let chunks = [1, 5, 10, 20]

    private static func setUp(_ chunk: Int, _ policy: CarryPolicy) -> SetUp {
        var configuration = TrainingConfiguration()
        (configuration.carry, configuration.chunk, configuration.rows) = ([policy], chunk, 32)
        (configuration.epochs, configuration.patience, configuration.forgetBias) = (8, 0, 1)
        configuration.validation = Double(LongMemoryTask.held) / Double(LongMemoryTask.sequences)
        return SetUp(
            name: "\(policy.rawValue), chunk \(chunk)", ceiling: ceiling(configuration), expected: "",
            configuration: configuration,
            manifest: LongMemoryTask.manifest, hidden: 10, series: LongMemoryTask.steps)
    }

    private static func report(_ results: [SetUpResult]) -> ExperimentReport {
        let rows = results.map { result in
            let training = result.setUp.configuration
            return [
                "\(training.chunk)", training.carry[0].rawValue,
                Text.range(result.range { $0.carryGap?.carried.accuracy }, 3), Text.number(ceiling(training), 3),
                Text.range(result.range { $0.carryGap?.resetPerChunk.accuracy }, 3),
                Text.range(result.range { $0.carryGap?.difference }, 3),
                result.mean { $0.secondsPerEpoch * 1_000 }.map { Text.number($0, 0) } ?? "–",
            ]
        }
        return ExperimentReport(
            header: ["chunk", "policy", "carried", "reach", "reset per chunk", "carry gap", "ms per epoch"],
            rows: rows, reading: reading(results),
            figures: [
                figure("Accuracy as served, the state carried", "accuracy", results) { $0.carryGap?.carried.accuracy },
                figure("Time of an epoch", "milliseconds", results) { $0.secondsPerEpoch * 1_000 },
            ])
    }

    /// The accuracy that the steps allow which a policy lets a row see: all of a sequence's, or one chunk's.
    private static func ceiling(_ training: TrainingConfiguration) -> Double {
        guard training.carry[0] == .perBatch else { return 1 }
        let seen = Double(min(training.chunk, LongMemoryTask.length))
        return (seen + (Double(LongMemoryTask.length) - seen) * 0.5) / Double(LongMemoryTask.length)
    }

    private static func figure(
        _ title: String, _ y: String, _ results: [SetUpResult], _ value: (Measured) -> Double?
    ) -> Figure {
        Figure(
            title: title, x: "steps of a chunk", y: y,
            lines: CarryPolicy.allCases.map { policy in
                let own = results.filter { $0.setUp.configuration.carry == [policy] }
                return Figure.Line(
                    name: policy.rawValue,
                    points: own.compactMap { result in
                        result.mean(value).map { (Double(result.setUp.configuration.chunk), $0) }
                    })
            })
    }

    private static func reading(_ results: [SetUpResult]) -> String {
        func best(_ policy: CarryPolicy, _ chunk: Int) -> String {
            let found = results.first {
                $0.setUp.configuration.carry == [policy] && $0.setUp.configuration.chunk == chunk
            }
            return found?.mean { $0.carryGap?.carried.accuracy }.map { Text.number($0, 2) } ?? "–"
        }
        return
            "The same sequences, epochs and rows. Under per-batch no row sees further than one chunk (\"reach\" is "
            + "the accuracy that this allows in training): served with the state carried it comes to "
            + "\(best(.perBatch, 5)) with "
            + "chunks of 5 and to \(best(.perBatch, 20)) where a chunk holds the whole sequence. Carried, chunks of 5 "
            + "come to \(best(.acrossBatches, 5)) across batches and to \(best(.acrossSequences, 5)) across sequences: "
            + "the gradient reaches back one chunk, or one batch, and the state further. The carry gap is what serving "
            + "with a carried state loses (above 0) or gains (below 0) against a reset before every chunk: a large "
            + "gain says that a model needs its state, a loss that it was trained for another service than it is in."
    }
}
