package import SluiceLSTM

/// A setting of which training does not know every choice yet. What is not available is refused where it is given,
/// never replaced by something else.
package protocol TrainingChoice: RawRepresentable<String>, CaseIterable, Equatable, Sendable {
    static var available: [Self] { get }
}

extension TrainingChoice {
    package var isAvailable: Bool { Self.available.contains(self) }

    /// What to use in its place.
    package static var remedy: String { "use " + available.map(\.rawValue).joined(separator: " or ") }
}

extension CarryPolicy: TrainingChoice {
    package static let available: [CarryPolicy] = [.perBatch, .acrossBatches]
}

extension RowOrder: TrainingChoice {
    package static let available: [RowOrder] = [.lanes]
}

extension OptimizerKind: TrainingChoice {
    package static let available: [OptimizerKind] = [.adam]
}

extension LearningRateSchedule: TrainingChoice {
    package static let available: [LearningRateSchedule] = [.constant]
}

extension WeightInitialization: TrainingChoice {
    package static let available: [WeightInitialization] = [.pytorch]
}

/// Models of every kind are served.
extension InitialStateKind: TrainingChoice {
    package static let available: [InitialStateKind] = [.zero, .learned]
}
