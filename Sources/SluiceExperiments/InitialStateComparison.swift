import SluiceLSTM
import SluiceTraining

/// Waves that all begin at the same place of their period: what a network must guess at the first step of each can be
/// known beforehand, if its initial state can say it.
enum WaveTask {
    static let rows = 8_192
    /// Noise is even in ±0.1, and nobody foresees it: the least mean squared error of any forecast.
    static let noise: Float = 0.1
    static let floor = Double(noise * noise) / 3
    static let manifest = ModelManifest(name: "waves", version: "", inputs: ["x"], targets: ["x"], horizons: [1])

    /// - Parameter length: steps from one reset to the next.
    static func series(length: Int, _ seed: UInt64) -> [TrainingSeries] {
        var generator = SeededGenerator(seed: seed, stream: .experiment)
        var series = TrainingSeries(name: "waves")
        for row in 0..<rows {
            let step = row % length
            // A sine by a parabola, in [-1, 1], 12 steps to a period, from its rising quarter on.
            var phase = Float((step + 2) % 12) / 12 * 2 - 1
            phase = 4 * phase * (1 - abs(phase))
            let value = phase + generator.uniform(noise)
            series.inputs.append(value)
            series.targets.append(value)
            series.center.append(0)
            series.scale.append(1)
            series.boundary.append(step == 0)
            series.warm.append(true)
            series.times.append(Int64(row))
        }
        return [series]
    }
}

extension Experiment {
    /// Four initial states on waves with many resets and with few.
    package static let initialState = Experiment(
        name: "initial-state",
        question: "What is an initial state worth that is drawn, or learned, where resets are many or few?",
        setUps: lengths.flatMap { length in kinds.map { setUp(length, $0) } }, report: report)

    private static let lengths = [4, 256]
    private static let kinds: [InitialStateKind] = [.zero, .normal, .learned, .learnedNoise]

    private static func setUp(_ length: Int, _ kind: InitialStateKind) -> SetUp {
        var configuration = TrainingConfiguration()
        (configuration.chunk, configuration.rows, configuration.learningRate) = (32, 16, 0.01)
        (configuration.epochs, configuration.patience, configuration.validation) = (12, 0, 0.25)
        var manifest = WaveTask.manifest
        manifest.initialState = kind
        if kind == .normal || kind == .learnedNoise { manifest.initialStateDeviation = 0.5 }
        return SetUp(
            name: "\(kind.rawValue), a reset every \(length) steps", ceiling: WaveTask.floor, expected: "",
            configuration: configuration, manifest: manifest, hidden: 16,
            series: { WaveTask.series(length: length, $0) })
    }

    private static func loss(_ run: Measured) -> Double? { run.carryGap?.carried.loss }

    private static func report(_ results: [SetUpResult]) -> ExperimentReport {
        let rows = results.map { result in
            let parts = result.setUp.name.split(separator: ",").map { $0.drop { $0 == " " } }
            let zero = results.first { $0.setUp.name == "zero,\(result.setUp.name.dropFirst(parts[0].count + 1))" }
            let ratio = result.mean(loss).flatMap { own in zero?.mean(loss).map { own / $0 } }
            return [
                String(parts[1]), String(parts[0]), Text.number(WaveTask.floor, 4), Text.range(result.range(loss), 4),
                ratio.map { Text.number($0, 2) } ?? "–",
                result.mean { $0.secondsPerEpoch * 1_000 }.map { Text.number($0, 0) } ?? "–",
            ]
        }
        return ExperimentReport(
            header: ["resets", "initial state", "floor", "loss", "of zero's", "ms per epoch"], rows: rows,
            reading: reading(results),
            figures: lengths.map { length in
                let own = results.filter { $0.setUp.name.hasSuffix(" \(length) steps") }
                return Figure(
                    title: "Validation loss, a reset every \(length) steps", x: "epoch", y: "mean squared error",
                    lines: own.map { Figure.Line(name: String($0.setUp.name.prefix { $0 != "," }), points: $0.curve) })
            })
    }

    private static func reading(_ results: [SetUpResult]) -> String {
        func compared(_ kind: InitialStateKind, _ length: Int) -> String {
            func mean(_ kind: InitialStateKind) -> Double? {
                results.first { $0.setUp.name == "\(kind.rawValue), a reset every \(length) steps" }?.mean(loss)
            }
            guard let zero = mean(.zero), let own = mean(kind), zero > 0 else { return "unknown" }
            let percent = abs(1 - own / zero) * 100
            guard percent >= 3 else { return "the same (within 3 %)" }
            return Text.number(percent, 0) + " % " + (own <= zero ? "less" : "more")
        }
        let (many, few) = (lengths[0], lengths[1])
        return
            "Set beside zero's, the loss of a learned state is \(compared(.learned, many)) where the state is reset "
            + "every \(many) steps and \(compared(.learned, few)) where it is every \(few); of a drawn one "
            + "\(compared(.normal, many)) and \(compared(.normal, few)). Zeros mark a beginning as well as any other "
            + "state, and a network learns what follows from them: where a learned state is worth the same, that is "
            + "why. A drawn one hides the mark in training. The floor is the variance of the noise, which no forecast "
            + "foresees. All are measured from the mean of their distribution, as they are served."
    }
}
