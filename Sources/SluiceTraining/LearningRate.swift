internal import Glibc

/// The learning rate of each epoch: PyTorch's `StepLR`, `CosineAnnealingLR` (down to 0 over all epochs) and
/// `ReduceLROnPlateau` (relative threshold 1e-4, no cooldown), stepped at the end of each epoch.
struct LearningRate: Codable, Sendable, Equatable {
    private static let threshold = 1e-4
    /// PyTorch leaves a rate alone that a reduction would change by less.
    private static let smallestChange = 1e-8

    private(set) var value: Double
    private let start: Double
    private let schedule: LearningRateSchedule
    private let span, epochs: Int
    private let factor: Double
    private var best = Double.infinity
    private var bad = 0

    init(_ configuration: TrainingConfiguration) {
        start = configuration.learningRate
        value = start
        schedule = configuration.schedule
        span = configuration.scheduleEpochs
        factor = configuration.scheduleFactor
        epochs = configuration.epochs
    }

    /// - Parameters:
    ///   - ended: epochs so far.
    ///   - loss: of the last one, to be watched for a plateau.
    mutating func end(epoch ended: Int, loss: Double) {
        switch schedule {
        case .constant: break
        case .step: value = start * pow(factor, Double(ended / span))
        case .cosine: value = start * (1 + cos(.pi * Double(ended) / Double(epochs))) / 2
        case .reduceOnPlateau: watch(loss)
        }
    }

    private mutating func watch(_ loss: Double) {
        if loss < best * (1 - Self.threshold) {
            (best, bad) = (loss, 0)
        } else {
            bad += 1
        }
        guard bad > span else { return }
        bad = 0
        if value - value * factor > Self.smallestChange { value *= factor }
    }
}
