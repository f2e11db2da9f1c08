import SluiceLSTM

@testable import SluiceTraining

/// Data sets made up for tests.
enum Synthetic {
    /// The long-memory task (`training.md`): sequences of 20 zeros but for the first step, which is 1 for exactly half
    /// of them and is the label of every step. `hold` of the sequences, half ones too, come last in time.
    static func longMemory(sequences: Int = 1_200, hold: Int = 200, seed: UInt64) -> TrainingSeries {
        var generator = SeededGenerator(seed: seed, stream: .holdOut, index: 99)
        func balanced(_ count: Int) -> [Float] {
            var labels = (0..<count).map { Float($0 % 2) }
            generator.shuffle(&labels)
            return labels
        }
        var series = TrainingSeries(name: "long memory")
        for label in balanced(sequences - hold) + balanced(hold) {
            for step in 0..<20 {
                series.inputs.append(step == 0 ? label : 0)
                series.labels.append(label)
                series.boundary.append(step == 0)
                series.warm.append(true)
                series.times.append(Int64(series.times.count))
            }
        }
        return series
    }

    /// Each segment of a classifier's series as a stream of its own, all beginning at time 0.
    static func streamPerSegment(_ series: TrainingSeries) -> [TrainingSeries] {
        series.segments.enumerated().map { index, rows in
            var one = TrainingSeries(name: "\(index)")
            one.inputs = Column(series.inputs[rows])
            one.labels = Column(series.labels[rows])
            one.boundary = Column(series.boundary[rows])
            one.warm = Column(series.warm[rows])
            one.times = Column((0..<rows.count).map { Int64($0) })
            return one
        }
    }

    static let binary = ModelManifest(name: "m", version: "v1", inputs: ["x"], targets: [], head: .binary)

    static let point = ModelManifest(name: "m", version: "v1", inputs: ["x"], targets: ["x"])

    /// A noisy sine, to be forecast one step ahead.
    static func wave(_ count: Int, name: String = "wave", boundaryEvery: Int = 50, scale: Double = 1) -> TrainingSeries
    {
        var series = TrainingSeries(name: name)
        var generator = SeededGenerator(seed: UInt64(count), stream: .holdOut, index: 7)
        var phase: Float = 0
        for row in 0..<count {
            phase += 0.3 + generator.uniform(0.05)
            if phase > 3.14159 { phase -= 6.28318 }
            let value = phase * (1.27323954 - 0.405284735 * abs(phase))
            series.inputs.append(value)
            series.targets.append(value * Float(scale))
            series.center.append(0)
            series.scale.append(scale)
            series.boundary.append(row % boundaryEvery == 0)
            series.warm.append(true)
            series.times.append(Int64(row))
        }
        return series
    }
}
