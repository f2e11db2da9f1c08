internal import SluiceCore
package import SluiceLSTM

/// `model`: the shape of the model that training makes.
package struct ModelSection: Sendable, Equatable {
    package let hidden: Int
    package let layers: Int
    /// Features to forecast; by default the first. Empty with a head that classifies.
    package let targets: [String]
    /// In observations, ascending. Empty with a head that classifies.
    package let horizons: [Int]
    package let head: HeadKind
    /// Ascending. Empty unless the head is `quantile`.
    package let quantiles: [Double]
    /// nil unless the head is `categorical`.
    package let classes: Int?
    /// Steps since the boundary before a prediction counts as warm, besides the scaler's own.
    package let warmup: Int
    package let initialState: InitialStateKind
    /// Of `normal` and `learned+noise`.
    package let initialStateDeviation: Double
    /// Of `uniform`: low, high.
    package let initialStateRange: [Double]
    /// Random initial states are drawn in service too.
    package let initialStateNoise: Bool
    package let scaling: ScalingKind

    /// Settings that the head has no use for are checked and then left out, so that changing the head changes one line.
    init(_ reader: inout SettingsReader, features: [String]) {
        hidden = reader.read("model.hidden", .integer(1...Limits.hidden), default: 64)
        layers = reader.read("model.layers", .integer(1...Limits.layers), default: 1)
        let targets = reader.read("model.targets", listOf: .text, default: Array(features.prefix(1)))
        let horizons = reader.read("model.horizons", listOf: .integer(1...Limits.horizon), default: [1, 6, 12])
        let head: HeadKind = reader.read("model.head", .choice, default: .quantile)
        let fraction = SettingKind<Double>.number("between 0 and 1, both excluded") { $0 > 0 && $0 < 1 }
        let quantiles = reader.read("model.quantiles", listOf: fraction, default: [0.1, 0.5, 0.9])
        let classes = reader.read("model.classes", .integer(2...Limits.outputs), default: 3)
        warmup = reader.read("model.warmup", .integer(0...Int(Int32.max)), default: 0)
        initialState = reader.read("model.initial_state", .choice, default: .zero)
        initialStateDeviation = reader.read(
            "model.initial_state_deviation", .number("above 0, at most 100") { $0 > 0 && $0 <= 100 },
            default: ModelManifest.defaultDeviation)
        initialStateRange = reader.read(
            "model.initial_state_range", listOf: .number("between -100 and 100") { abs($0) <= 100 },
            default: ModelManifest.defaultRange)
        initialStateNoise = reader.read("model.initial_state_noise", .flag, default: false)
        scaling = reader.read("model.scaling", .choice, default: .perStream)
        self.head = head
        self.targets = head.classifies ? [] : targets
        self.horizons = head.classifies ? [] : horizons
        self.quantiles = head == .quantile ? quantiles : []
        self.classes = head == .categorical ? classes : nil
        check(&reader, targets, horizons, quantiles, features: features)
    }

    private func check(
        _ reader: inout SettingsReader, _ targets: [String], _ horizons: [Int], _ quantiles: [Double],
        features: [String]
    ) {
        if reader.isSound("model.targets"), reader.isSound("input.features") {
            if targets.isEmpty, !head.classifies {
                reader.report("model.targets", "is empty: a \(head.rawValue) head forecasts one feature at least")
            }
            for target in targets where !features.contains(target) {
                let hint = Suggestion.text(for: target, among: features)
                reader.report("model.targets", "\"\(target)\" is not among input.features\(hint)")
            }
            if Set(targets).count < targets.count { reader.report("model.targets", "lists a feature twice") }
        }
        if reader.isSound("model.initial_state_range"),
            initialStateRange.count != 2 || !Self.isAscending(initialStateRange)
        {
            reader.report("model.initial_state_range", "must be a low and a high end, such as [0, 1]")
        }
        if initialStateNoise, reader.isSound("model.initial_state"), [.zero, .learned].contains(initialState) {
            reader.report(
                "model.initial_state_noise",
                "has nothing to draw with initial_state \(initialState.rawValue); "
                    + "choose normal, uniform or learned+noise")
        }
        if reader.isSound("model.horizons"), horizons.isEmpty || !Self.isAscending(horizons) {
            reader.report("model.horizons", "must be in ascending order, each once, such as [1, 6, 12]")
        }
        if reader.isSound("model.quantiles") {
            if !Self.isAscending(quantiles) {
                reader.report("model.quantiles", "must be in ascending order, each once, such as [0.1, 0.5, 0.9]")
            } else if head == .quantile, !quantiles.contains(0.5) {
                reader.report("model.quantiles", "lacks 0.5, the median, which is the forecast's value")
            }
        }
        let settings = ["model.targets", "model.horizons", "model.head", "model.quantiles", "input.features"]
        let outputs = self.targets.count * self.horizons.count * max(1, self.quantiles.count)
        if settings.allSatisfy({ reader.isSound($0) }), outputs > Limits.outputs {
            reader.report("model.targets", "with horizons and quantiles are \(outputs) outputs, over \(Limits.outputs)")
        }
    }

    private static func isAscending<Number: Comparable>(_ values: [Number]) -> Bool {
        zip(values, values.dropFirst()).allSatisfy { $0 < $1 }
    }
}

extension Limits {
    /// The farthest horizon: each slot keeps as many pending forecasts as its smallest horizon.
    fileprivate static let horizon = 65_536
}
