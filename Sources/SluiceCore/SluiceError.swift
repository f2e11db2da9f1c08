/// The one error of the package: what went wrong, where, whether trying again helps, and what to do about it.
///
/// The code is stable and meant for programs; the message is for people and names the thing; the remedy
/// says what to do.
package struct SluiceError: Error, Sendable {
    /// A stable name such as `topic-missing`. A struct, not an enum: modules add their own.
    package struct Code: RawRepresentable, Hashable, Sendable {
        package let rawValue: String
        package init(rawValue: String) { self.rawValue = rawValue }
        package init(_ rawValue: String) { self.rawValue = rawValue }
    }

    /// Whether the same call may succeed later.
    package enum Retry: Sendable {
        /// The same call will fail again: the input, the configuration or the program must change.
        case never
        /// A passing fault (broker away, time-out): try again with back-off.
        case later
        /// The client that reported it is unusable: make it anew, then restore.
        case fatal
    }

    package let code: Code
    package let message: String
    package let remedy: String?
    package let retry: Retry
    package let cause: (any Error)?
    package let location: String

    package init(
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
    package var description: String {
        var text = message
        if let cause { text += ": \(cause)" }
        if let remedy { text += " (\(remedy))" }
        return text
    }
}

extension SluiceError.Code {
    package static let invalidConfiguration = SluiceError.Code("configuration-invalid")
    package static let invalidModel = SluiceError.Code("model-invalid")
    package static let unknownModel = SluiceError.Code("model-unknown")
    package static let invalidState = SluiceError.Code("state-invalid")
    package static let foreignState = SluiceError.Code("state-foreign")
    package static let invalidInput = SluiceError.Code("input-invalid")
    package static let file = SluiceError.Code("file")
    package static let broker = SluiceError.Code("broker")
    package static let topic = SluiceError.Code("topic")
    package static let delivery = SluiceError.Code("delivery")
    package static let unsupported = SluiceError.Code("unsupported")
}
