import SluiceAdmin

extension ServiceMetrics {
    /// Counts a training by how it ended.
    func countRetraining(_ outcome: Retraining.Outcome, _ duration: Duration) {
        let kind: RetrainOutcome =
            switch outcome {
            case .promoted: .succeeded
            case .kept: .refused
            case .failed: .failed
            }
        countRetrain(kind, seconds: duration / .seconds(1))
    }
}
