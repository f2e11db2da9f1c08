package import SluiceLSTM

extension Dataset {
    /// Means and deviations of each input over the training part, for `scaling: global`: nothing of what is held out
    /// may tell how it is scaled. From the inputs as observed (`TrainingSeries.raw`), missing values left out.
    package func scaler(of split: DatasetSplit, inputs: Int) -> Model.Scaler {
        var scaler = GlobalScaler(inputs: inputs)
        for segment in split.train {
            let raw = series[segment.series].raw
            precondition(raw.count == series[segment.series].count * inputs, "N × I observed inputs")
            for row in segment.rows { scaler.add(raw[row * inputs..<(row + 1) * inputs]) }
        }
        return scaler.scaler
    }
}

/// Running means and squares (Welford), in double.
private struct GlobalScaler {
    private var counts: [Double]
    private var means: [Double]
    private var squares: [Double]

    init(inputs: Int) {
        counts = Array(repeating: 0, count: inputs)
        means = counts
        squares = counts
    }

    /// Takes one observation `[I]`; NaN is missing.
    mutating func add(_ features: some Sequence<Float>) {
        for (input, value) in features.enumerated() where !value.isNaN {
            counts[input] += 1
            let d = Double(value) - means[input]
            means[input] += d / counts[input]
            squares[input] += d * (Double(value) - means[input])
        }
    }

    /// An input that never changes is not scaled.
    var scaler: Model.Scaler {
        Model.Scaler(
            mean: means.map { Float($0) },
            scale: zip(squares, counts).map { square, count in
                let scale = count > 0 ? Float((square / count).squareRoot()) : 0
                return scale > 0 ? scale : 1
            })
    }
}
