internal import SluiceCore
package import SluiceTraining

/// The carry policy of each epoch: one for all, or a run of them, `[per-batch ×5, across-batches]`.
package struct CarryPlan: Sendable, Equatable {
    package struct Phase: Sendable, Equatable {
        package let carry: CarryPolicy
        /// How long; the last phase goes on to the end, whatever it says.
        package let epochs: Int
    }

    /// One at least.
    package let phases: [Phase]

    package static let acrossBatches = CarryPlan(phases: [Phase(carry: .acrossBatches, epochs: 1)])

    /// The policy of each epoch; the last one goes on.
    package var epochs: [CarryPolicy] {
        phases.flatMap { [CarryPolicy](repeating: $0.carry, count: $0.epochs) }
    }
}

extension SettingKind where Value == CarryPlan {
    static var carryPlan: SettingKind {
        SettingKind(
            isScalar: false,
            parse: { node, mismatches in
                // A policy alone is the most common plan of all.
                let isOne = if case .scalar = node.content { true } else { false }
                let list = isOne ? RawNode(content: .list([node]), line: node.line) : node
                let kind = SettingKind<CarryPlan.Phase>.carryPhase.list()
                guard let phases = kind.parse(list, &mismatches) else { return nil }
                guard !phases.isEmpty else {
                    mismatches.append(Mismatch("is empty", line: node.line))
                    return nil
                }
                return CarryPlan(phases: phases)
            },
            render: { plan in
                let phases = plan.phases.map(SettingKind<CarryPlan.Phase>.carryPhase.render)
                return phases.count == 1 ? phases[0] : .list(phases)
            })
    }
}

extension SettingKind where Value == CarryPlan.Phase {
    /// `per-batch`, or for five epochs `per-batch ×5` (`x5` does as well).
    fileprivate static var carryPhase: SettingKind {
        scalar(
            "a carry policy", render: { .text($0.carry.rawValue + ($0.epochs == 1 ? "" : " ×\($0.epochs)")) }
        ) { text throws(Mismatch) in
            let parts = text.split(separator: " ").map(String.init)
            let names = CarryPolicy.allCases.map(\.rawValue)
            guard let carry = CarryPolicy(rawValue: parts.first ?? "") else {
                let hint = Suggestion.text(for: parts.first ?? "", among: names)
                throw Mismatch("\"\(text)\" is not one of \(names.joined(separator: ", "))\(hint)")
            }
            if parts.count == 1 { return CarryPlan.Phase(carry: carry, epochs: 1) }
            let times = parts[1].first == "×" || parts[1].first == "x"
            guard parts.count == 2, times, let epochs = Int(parts[1].dropFirst()), (1...10_000).contains(epochs) else {
                throw Mismatch("\"\(text)\" is not a policy and a number of epochs such as \"\(carry.rawValue) ×5\"")
            }
            return CarryPlan.Phase(carry: carry, epochs: epochs)
        }
    }
}
