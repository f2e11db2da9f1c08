public import SluiceCore

/// The log takes a record in no attempt: the cause inside the `SluiceError` that a producer throws or answers.
public struct OutputRefusal: Error, Sendable {
    public var topic: OutputTopic
    /// What the record takes in a batch of its own, by `RecordSize`.
    public var bytes: Int
    /// For its size, or that of its batch; otherwise for what it is.
    public var isTooLarge: Bool
    /// It was in a batch of its own, uncompressed: the refusal is its own. Otherwise the batch may only have been too
    /// large as a whole.
    public var isAlone: Bool
    /// Without key and value, nothing is left that could be cut.
    public var isBare: Bool
    public var reason: any Error

    public init(
        topic: OutputTopic, bytes: Int, isTooLarge: Bool, isAlone: Bool, isBare: Bool, reason: any Error
    ) {
        self.topic = topic
        self.bytes = bytes
        self.isTooLarge = isTooLarge
        self.isAlone = isAlone
        self.isBare = isBare
        self.reason = reason
    }
}

extension OutputRefusal: CustomStringConvertible {
    public var description: String { "\(reason)" }
}

extension SluiceError {
    /// Why the log takes a record in no attempt; nil for an error of another kind.
    public var refusal: OutputRefusal? { cause as? OutputRefusal }
}
