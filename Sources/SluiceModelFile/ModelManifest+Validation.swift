package import SluiceCore
package import SluiceLSTM

extension ModelManifest {
    /// Checks that the manifest describes a model that can be served, and names the key at fault if not.
    ///
    /// A classifier's targets and horizons, and the quantiles of another head, have no meaning and are not looked at.
    /// - Throws: `SluiceError(.invalidModel)`.
    package func validate() throws(SluiceError) {
        try Self.checkNames(inputs, key: "inputs")
        if head.classifies {
            try checkClasses()
        } else {
            try checkForecasts()
        }
        guard (0...Self.initialLimit).contains(initialStateDeviation ?? 0) else {
            throw .model("manifest key initial_state_deviation is not between 0 and \(Self.initialLimit)")
        }
        if let range = initialStateRange {
            guard range.count == 2, range[0] < range[1], range.allSatisfy({ abs($0) <= Self.initialLimit }) else {
                throw .model("manifest key initial_state_range is not a low and a high end")
            }
        }
        if drawsInService && seed == nil {
            throw .model("manifest key seed is missing, which initial_state_noise draws from")
        }
        guard (warmup ?? 0) >= 0 else { throw .model("manifest key warmup is negative") }
    }

    /// An h is within ±1, and a c seldom far beyond.
    private static let initialLimit = 100.0

    private static func checkNames(_ names: [String], key: String) throws(SluiceError) {
        guard (1...Limits.inputs).contains(names.count) else {
            throw .model("manifest key \(key) has \(names.count) names; 1 to \(Limits.inputs) are allowed")
        }
        var seen: Set<String> = []
        for name in names {
            guard !name.isEmpty else { throw .model("manifest key \(key) has an empty name") }
            guard seen.insert(name).inserted else { throw .model("manifest key \(key) names \(name) twice") }
        }
    }

    private func checkClasses() throws(SluiceError) {
        guard head == .categorical else { return }
        guard let classes else { throw .model("manifest key classes is missing, which a categorical head needs") }
        guard (2...Limits.outputs).contains(classes) else {
            throw .model("manifest key classes is \(classes); 2 to \(Limits.outputs) are allowed")
        }
    }

    private func checkForecasts() throws(SluiceError) {
        try Self.checkNames(targets, key: "targets")
        if scaling != .none, let foreign = targets.first(where: { !inputs.contains($0) }) {
            throw .model(
                "target \(foreign) is not among the inputs, by whose statistics \(scaling.rawValue) scales it",
                remedy: "add it to the inputs, or use scaling none")
        }
        guard (1...Limits.outputs).contains(horizons.count), horizons[0] > 0, Self.ascends(horizons),
            horizons[horizons.count - 1] <= Limits.horizon
        else {
            throw .model("manifest key horizons must ascend from 1 or more to \(Limits.horizon) at most")
        }
        if head == .quantile {
            guard (1...Limits.outputs).contains(quantiles.count), Self.ascends(quantiles),
                quantiles.allSatisfy({ $0 > 0 && $0 < 1 })
            else { throw .model("manifest key quantiles must ascend strictly between 0 and 1") }
            guard quantiles.contains(0.5) else {
                throw .model("manifest key quantiles lacks 0.5, the forecast's value")
            }
        }
        guard outputs <= Limits.outputs else {
            throw .model("the manifest's targets and horizons need \(outputs) outputs, more than \(Limits.outputs)")
        }
    }

    private static func ascends<T: Comparable>(_ values: [T]) -> Bool {
        zip(values, values.dropFirst()).allSatisfy { $0 < $1 }
    }
}
