package import SluiceCore

extension TrainingConfiguration {
    /// Rows of a batch, and steps of a chunk.
    package static let batchRange = 1...65_536

    /// Checks every entry.
    ///
    /// - Throws: `SluiceError(.invalidConfiguration)` for a value out of range; the message names the entry.
    package func validate() throws(SluiceError) {
        guard !carry.isEmpty else { throw .entry("carry", "is empty") }
        try Self.check("chunk", chunk, Self.batchRange)
        try Self.check("rows", rows, Self.batchRange)
        try Self.check("epochs", epochs, 1...1_000_000)
        try Self.check("patience", patience, 0...1_000_000)
        try Self.check("forget_bias", forgetBias, 0...1)
        if let threads { try Self.check("threads", threads, 1...1_024) }
        guard learningRate > 0, learningRate.isFinite else { throw .entry("learning_rate", "must be positive") }
        guard momentum >= 0, momentum < 1 else { throw .entry("momentum", "must be at least 0 and below 1") }
        guard (0...1).contains(weightDecay ?? 0) else { throw .entry("weight_decay", "must be 0 to 1") }
        try Self.check("schedule_epochs", scheduleEpochs, 1...1_000_000)
        guard scheduleFactor > 0, scheduleFactor < 1 else { throw .entry("schedule_factor", "must be between 0 and 1") }
        guard dropout >= 0, dropout < 1 else { throw .entry("dropout", "must be at least 0 and below 1") }
        guard clip >= 0, clip.isFinite else { throw .entry("clip", "must be 0 (no clipping) or positive") }
        guard validation >= 0, validation < 1 else { throw .entry("validation", "must be at least 0 and below 1") }
        guard test >= 0, test < 1 else { throw .entry("test", "must be at least 0 and below 1") }
        guard validation + test < 1 else { throw .entry("validation", "and test together leave nothing to train on") }
    }

    private static func check(_ name: String, _ value: Int, _ range: ClosedRange<Int>) throws(SluiceError) {
        guard range.contains(value) else {
            throw .entry(name, "is \(value); \(range.lowerBound) to \(range.upperBound) are allowed")
        }
    }
}

extension SluiceError {
    fileprivate static func entry(_ name: String, _ message: String) -> SluiceError {
        SluiceError(.invalidConfiguration, "train.\(name) \(message)")
    }
}
