/// The one error of the package: what went wrong, where, whether trying again helps, and what to do about it.
///
/// The code is stable and meant for programs; the message is for people and names the thing; the remedy
/// says what to do.
public struct SluiceError: Error, Sendable {
    /// A stable name such as `topic-missing`. A struct, not an enum: modules add their own.
    public struct Code: RawRepresentable, Hashable, Sendable {
        public let rawValue: String
        public init(rawValue: String) { self.rawValue = rawValue }
        public init(_ rawValue: String) { self.rawValue = rawValue }
    }

    /// Whether the same call may succeed later.
    public enum Retry: Sendable {
        /// The same call will fail again: the input, the configuration or the program must change.
        case never
        /// A passing fault (broker away, time-out): try again with back-off.
        case later
        /// The client that reported it is unusable: make it anew, then restore.
        case fatal
    }

    public let code: Code
    public let message: String
    public let remedy: String?
    public let retry: Retry
    public let cause: (any Error)?
    public let location: String

    public init(
        _ code: Code, _ message: String, remedy: String? = nil, retry: Retry = .never, cause: (any Error)? = nil,
        fileID: String = #fileID, line: Int = #line
    ) {
        self.code = code
        self.message = message
        self.remedy = remedy
        self.retry = retry
        self.cause = cause
        self.location = "\(fileID):\(line)"
    }
}

extension SluiceError: CustomStringConvertible {
    /// One line for a person: message, cause, remedy.
    public var description: String {
        var text = message
        if let cause { text += ": \(cause)" }
        if let remedy { text += " (\(remedy))" }
        return text
    }
}

extension SluiceError.Code {
    public static let invalidConfiguration = SluiceError.Code("configuration-invalid")
    public static let invalidModel = SluiceError.Code("model-invalid")
    public static let unknownModel = SluiceError.Code("model-unknown")
    public static let invalidState = SluiceError.Code("state-invalid")
    public static let foreignState = SluiceError.Code("state-foreign")
    public static let invalidInput = SluiceError.Code("input-invalid")
    public static let file = SluiceError.Code("file")
    public static let broker = SluiceError.Code("broker")
    public static let topic = SluiceError.Code("topic")
    public static let delivery = SluiceError.Code("delivery")
    public static let unsupported = SluiceError.Code("unsupported")
}
