import SluiceLSTM
import SluiceTraining

/// The task: sequences of 20 steps, all zero but the first, which is 1 for exactly half of them and is the label of
/// all.
enum LongMemoryTask {
    static let length = 20
    static let sequences = 1_200
    static let held = 200
    static let window = 10
    static let manifest = ModelManifest(name: "long-memory", version: "", inputs: ["x"], targets: [], head: .binary)

    /// The first step of each sequence; half are ones among those to train on and among those held out, which come
    /// last.
    static func firsts(_ seed: UInt64) -> [Float] {
        var generator = SeededGenerator(seed: seed, stream: .experiment)
        func balanced(_ count: Int) -> [Float] {
            var values = (0..<count).map { Float($0 % 2) }
            generator.shuffle(&values)
            return values
        }
        return balanced(sequences - held) + balanced(held)
    }

    /// The sequences one after the other, a boundary before each, a label at every step.
    static func steps(_ seed: UInt64) -> [TrainingSeries] {
        var series = TrainingSeries(name: "sequences")
        for first in firsts(seed) {
            for step in 0..<length {
                series.append(input: step == 0 ? first : 0, label: first, isBoundary: step == 0)
            }
        }
        return [series]
    }

    /// All windows of 10 steps of each sequence, stride 1, one after the other; the label is at a window's last step.
    ///
    /// - Parameter isDeclared: a boundary stands before the first window of each sequence.
    static func windows(_ seed: UInt64, isDeclared: Bool) -> [TrainingSeries] {
        var series = TrainingSeries(name: "windows")
        for first in firsts(seed) {
            for start in 0...(length - window) {
                for step in start..<start + window {
                    let isLast = step == start + window - 1
                    series.append(
                        input: step == 0 ? first : 0, label: isLast ? first : .nan,
                        isBoundary: isDeclared && start == 0 && step == 0)
                }
            }
        }
        return [series]
    }
}

extension TrainingSeries {
    /// One more row of a classifier with one input.
    mutating func append(input: Float, label: Float, isBoundary: Bool) {
        inputs.append(input)
        labels.append(label)
        boundary.append(isBoundary)
        warm.append(true)
        times.append(Int64(times.count))
    }
}

extension Experiment {
    /// Seven ways to cut the same sequences, of which only some let the first step be known at the last.
    package static let longMemory = Experiment(
        name: "long-memory",
        question: "Which ways of cutting sequences into batches let a network remember their first step?",
        setUps: longMemorySetUps, report: longMemoryReport)

    /// One of ten windows knows the first step, and one of twenty steps; of the others half are right.
    private static let (windowCeiling, stepCeiling) = (1 - 10 * 0.5 / 11, 1 - 19 * 0.5 / 20)

    private static func setUp(
        _ name: String, ceiling: Double, expected: String,
        series: @escaping @Sendable (UInt64) -> [TrainingSeries],
        _ change: (inout TrainingConfiguration) -> Void
    ) -> SetUp {
        var configuration = TrainingConfiguration()
        (configuration.epochs, configuration.patience) = (15, 0)
        configuration.validation = Double(LongMemoryTask.held) / Double(LongMemoryTask.sequences)
        change(&configuration)
        return SetUp(
            name: name, ceiling: ceiling, expected: expected, configuration: configuration,
            manifest: LongMemoryTask.manifest, hidden: 10,
            series: series)
    }

    private static let longMemorySetUps = [
        setUp(
            "1 windows of 10, stride 1; state reset for each, batches of 64", ceiling: windowCeiling,
            expected: "0.52 to 0.58", series: { LongMemoryTask.windows($0, isDeclared: false) }
        ) { ($0.carry, $0.chunk, $0.rows) = ([.perBatch], 10, 64) },
        setUp(
            "2 the same windows; state carried from batch to batch, 110 rows", ceiling: windowCeiling,
            expected: "0.50 to 0.54", series: { LongMemoryTask.windows($0, isDeclared: false) }
        ) { ($0.order, $0.chunk, $0.rows) = (.strided, 10, 110) },
        setUp(
            "3 single steps in order; state carried within a sequence, a batch of 1", ceiling: 1,
            expected: "1.0 after the first or second epoch", series: LongMemoryTask.steps
        ) { ($0.chunk, $0.rows, $0.epochs) = (1, 1, 4) },
        setUp(
            "4 single steps; state reset at each", ceiling: stepCeiling, expected: "about 0.5",
            series: LongMemoryTask.steps
        ) { ($0.carry, $0.chunk, $0.rows, $0.epochs) = ([.perBatch], 1, 64, 5) },
        setUp(
            "5 windows of 10 that do not overlap, carried in order, 64 rows", ceiling: 1,
            expected: "1.0 after 3 to 12 epochs", series: LongMemoryTask.steps
        ) { ($0.chunk, $0.rows) = (10, 64) },
        setUp(
            "6 the windows of 2 under across-sequences, 110 rows, a boundary at each sequence; rate 0.003", ceiling: 1,
            expected: "0.97 to 1.0 from the fifth epoch",
            series: { LongMemoryTask.windows($0, isDeclared: true) }
        ) { ($0.carry, $0.chunk, $0.rows, $0.learningRate) = ([.acrossSequences], 10, 110, 0.003) },
        setUp(
            "7 as 6, no boundary declared; rate 0.001, forget bias 1", ceiling: 1, expected: "0.5 to 1.0",
            series: { LongMemoryTask.windows($0, isDeclared: false) }
        ) { ($0.carry, $0.chunk, $0.rows, $0.forgetBias) = ([.acrossSequences], 10, 110, 1) },
    ]

    private static let remembered = 0.97

    private static func longMemoryReport(_ results: [SetUpResult]) -> ExperimentReport {
        let rows = results.map { result in
            let last = result.range { $0.epochs.last }
            let first = result.range { run in
                run.epochs.firstIndex { $0 >= remembered }.map { Double($0 + 1) }
            }
            return [
                result.setUp.name, result.setUp.ceiling.map { Text.number($0, 3) } ?? "", result.setUp.expected,
                Text.range(last, 3), first.map { Text.range($0, 0) } ?? "never",
            ]
        }
        return ExperimentReport(
            header: ["set-up", "ceiling", "PyTorch", "accuracy", "epoch of 0.97"], rows: rows,
            reading: longMemoryReading(results),
            figures: [
                Figure(
                    title: "Validation accuracy", x: "epoch", y: "accuracy",
                    lines: results.map { Figure.Line(name: $0.setUp.name, points: $0.curve) })
            ])
    }

    private static func longMemoryReading(_ results: [SetUpResult]) -> String {
        let remembering = results.filter { ($0.range { $0.epochs.max() }?.low ?? 0) >= remembered }
        let names = remembering.map { String($0.setUp.name.prefix(1)) }
        let said = names.isEmpty ? "No set-up" : "Set-up" + (names.count == 1 ? " " : "s ") + Text.list(names)
        return said + " came to know the first step to the last, with every seed. A window that begins after it says "
            + "nothing about it (1 and 4), and carrying a state helps only where it comes from the steps before: in 2 "
            + "row i of a batch goes on from the same window of a sequence ten further back, a stranger's. In 3 and 5 "
            + "the state of a row is that of the steps before its own, and in 6 that of the window before, and there "
            + "a gradient of few steps is enough to learn what is then remembered over many. In 7 the state goes on "
            + "from one sequence into the next: a sequence that begins with 0 looks like more of the one before, and "
            + "the network has to learn to count its 110 steps, which takes longer and is not sure."
    }
}

extension SetUpResult {
    /// The mean over the seeds behind each epoch.
    var curve: [(x: Double, y: Double)] {
        let count = runs.map(\.epochs.count).min() ?? 0
        return (0..<count).map { epoch in
            (Double(epoch + 1), runs.reduce(0) { $0 + $1.epochs[epoch] } / Double(runs.count))
        }
    }
}
