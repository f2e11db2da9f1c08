internal import SluiceNumerics

/// Mean and scale by which a target was normalised, in its own units.
public struct TargetScale: Sendable, Equatable {
    public var mean: Double
    public var scale: Double

    public init(mean: Double, scale: Double) {
        self.mean = mean
        self.scale = scale
    }

    /// What `scaling: none` uses.
    public static let identity = TargetScale(mean: 0, scale: 1)
}

/// Turns the network's raw outputs into the values a prediction carries.
///
/// Values have the outputs' number and order: target-major, then horizon, then
/// - point: the value;
/// - gaussian: value, deviation (from mean, log-variance);
/// - quantile: one value per quantile, sorted ascending like the manifest's quantiles;
///
/// and for labels: binary the probability of label 1, categorical one probability per class.
public struct Head: Sendable {
    public let kind: HeadKind
    /// Targets that have a scale; 0 for binary and categorical heads.
    public let targets: Int
    /// O, and the number of values.
    public let outputs: Int
    private let outputsPerForecast: Int

    public init(_ manifest: ModelManifest) {
        kind = manifest.head
        targets = manifest.head.classifies ? 0 : manifest.targets.count
        outputs = manifest.outputs
        outputsPerForecast = manifest.outputsPerForecast
    }

    /// The values of one row; allocates nothing.
    ///
    /// - Parameters:
    ///   - raw: `[O]`, as the stepper gave them.
    ///   - scales: `[targets]`; not read by binary and categorical heads.
    ///   - values: `[O]`; may be `raw`.
    /// - Returns: whether every value is finite; if not, the row is a reject.
    public func values(
        of raw: UnsafePointer<Float>, scales: UnsafePointer<TargetScale>, into values: UnsafeMutablePointer<Float>
    ) -> Bool {
        switch kind {
        case .binary: values[0] = Activation.sigmoid(raw[0])
        case .categorical: softmax(raw, values)
        case .point, .gaussian, .quantile: forecasts(raw, scales, values)
        }
        var finite = true
        for index in 0..<outputs { finite = finite && values[index].isFinite }
        return finite
    }

    private func forecasts(
        _ raw: UnsafePointer<Float>, _ scales: UnsafePointer<TargetScale>, _ values: UnsafeMutablePointer<Float>
    ) {
        let perTarget = outputs / targets
        for target in 0..<targets {
            let scale = scales[target]
            for first in stride(from: target * perTarget, to: (target + 1) * perTarget, by: outputsPerForecast) {
                if kind == .gaussian {
                    let deviation = Activation.exp(0.5 * raw[first + 1])
                    values[first] = scale.restored(raw[first])
                    values[first + 1] = Float(Double(deviation) * scale.scale)
                    continue
                }
                for index in first..<(first + outputsPerForecast) { values[index] = raw[index] }
                sort(values + first, count: outputsPerForecast)
                for index in first..<(first + outputsPerForecast) { values[index] = scale.restored(values[index]) }
            }
        }
    }

    /// Ascending. Quantiles are few and nearly in order: insertion beats anything cleverer.
    private func sort(_ values: UnsafeMutablePointer<Float>, count: Int) {
        for end in 1..<max(count, 1) {
            let value = values[end]
            var place = end
            while place > 0 && values[place - 1] > value {
                values[place] = values[place - 1]
                place -= 1
            }
            values[place] = value
        }
    }

    /// eᶻ / Σ eᶻ with the largest subtracted first; the sum runs in class order.
    private func softmax(_ raw: UnsafePointer<Float>, _ values: UnsafeMutablePointer<Float>) {
        var largest = raw[0]
        for index in 1..<max(outputs, 1) where raw[index] > largest { largest = raw[index] }
        for index in 0..<outputs { values[index] = raw[index] - largest }
        Activation.exp(values, values, count: outputs)
        var sum: Float = 0
        for index in 0..<outputs { sum += values[index] }
        for index in 0..<outputs { values[index] /= sum }
    }
}

extension TargetScale {
    /// z s + m in double, rounded once to Float.
    fileprivate func restored(_ z: Float) -> Float { Float(Double(z) * scale + mean) }
}
