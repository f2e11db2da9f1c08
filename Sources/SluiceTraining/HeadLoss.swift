internal import SluiceLSTM
internal import SluiceNumerics

/// A sum of losses and what it is a sum of, so that means over several batches are exact.
struct LossSum: Sendable, Equatable {
    var sum = 0.0
    /// Unmasked terms: forecasts (times quantiles), or labels.
    var count = 0
    /// Classifiers: labels whose class was the likeliest.
    var correct = 0

    /// NaN where everything was masked.
    var mean: Double { sum / Double(count) }

    static func += (left: inout LossSum, right: LossSum) {
        left.sum += right.sum
        left.count += right.count
        left.correct += right.correct
    }
}

/// The five losses: mean squared error, Gaussian negative log-likelihood, pinball, binary and categorical
/// cross-entropy, each the mean over the terms that are not masked. In the units of the network's outputs.
struct HeadLoss {
    private let head: HeadKind
    private let quantiles: [Float]
    private let classes: Int
    /// Targets of one row: forecasts (targets × horizons), or one label.
    let width: Int

    init(_ manifest: ModelManifest) {
        head = manifest.head
        quantiles = manifest.quantiles.map { Float($0) }
        classes = manifest.classes ?? 0
        width = manifest.head.classifies ? 1 : manifest.targets.count * manifest.horizons.count
    }

    /// - Parameters:
    ///   - rows: P.
    ///   - outputs: `[P, O]`: the linear head.
    ///   - targets: `[P, width]`, NaN where masked.
    ///   - gradient: `[P, O]`: filled with the gradient of the mean; nil: not wanted.
    func evaluate(rows: Int, outputs: ReadFloats, targets: ReadFloats, gradient: Floats?) -> LossSum {
        let terms = rows * width
        let perTerm = head == .quantile ? quantiles.count : 1
        var total = LossSum()
        for term in 0..<terms where !targets[term].isNaN { total.count += perTerm }
        let factor = total.count == 0 ? 0 : 1 / Float(total.count)
        let outputsPerTerm = outputsPerTerm
        for term in 0..<terms {
            let at = term * outputsPerTerm
            if targets[term].isNaN {
                gradient.map { ($0 + at).update(repeating: 0, count: outputsPerTerm) }
            } else {
                add(outputs + at, targets[term], factor, gradient.map { $0 + at }, &total)
            }
        }
        return total
    }

    private var outputsPerTerm: Int {
        switch head {
        case .point, .binary: 1
        case .gaussian: 2
        case .quantile: quantiles.count
        case .categorical: classes
        }
    }

    private func add(
        _ output: ReadFloats, _ target: Float, _ factor: Float, _ gradient: Floats?, _ total: inout LossSum
    ) {
        switch head {
        case .point:
            let error = output[0] - target
            total.sum += Double(error) * Double(error)
            gradient?[0] = 2 * error * factor
        case .gaussian:
            // ½ (ln σ² + (μ − y)² / σ²), with ln σ² as the output.
            let error = output[0] - target
            let precision = Activation.exp(-output[1])
            total.sum += 0.5 * (Double(output[1]) + Double(error) * Double(error) * Double(precision))
            gradient?[0] = error * precision * factor
            gradient?[1] = 0.5 * (1 - error * error * precision) * factor
        case .quantile:
            for (index, quantile) in quantiles.enumerated() {
                let error = target - output[index]
                total.sum += Double(max(quantile * error, (quantile - 1) * error))
                let slope = error > 0 ? -quantile : error < 0 ? 1 - quantile : 0.5 - quantile
                gradient?[index] = slope * factor
            }
        case .binary:
            // max(x, 0) − x y + ln(1 + e^−|x|) neither overflows nor cancels.
            let x = output[0]
            total.sum += Double(max(x, 0) - x * target + Activation.log(1 + Activation.exp(-abs(x))))
            if (x > 0) == (target > 0.5) { total.correct += 1 }
            gradient?[0] = (Activation.sigmoid(x) - target) * factor
        case .categorical:
            let label = Int(target)
            var (largest, likeliest) = (output[0], 0)
            for index in 1..<classes where output[index] > largest { (largest, likeliest) = (output[index], index) }
            var sum: Float = 0
            for index in 0..<classes { sum += Activation.exp(output[index] - largest) }
            total.sum += Double(Activation.log(sum) + largest - output[label])
            if likeliest == label { total.correct += 1 }
            guard let gradient else { return }
            for index in 0..<classes {
                let probability = Activation.exp(output[index] - largest) / sum
                gradient[index] = (probability - (index == label ? 1 : 0)) * factor
            }
        }
    }
}
