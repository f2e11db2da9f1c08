package import SluiceCore

/// An answer that is not what was asked for: problem details of RFC 9457, with a stable code for programs.
package struct Problem: Error, Hashable, Sendable {
    /// The problems that the API itself has; `/openapi.yaml` describes each under its code. Others carry the code of
    /// the `SluiceError` they come from.
    package enum Kind: String, CaseIterable, Sendable {
        case streamUnknown = "stream-unknown"
        case modelUnknown = "model-unknown"
        case modelInvalid = "model-invalid"
        case pathUnknown = "path-unknown"
        case methodNotAllowed = "method-not-allowed"
        case parameterInvalid = "parameter-invalid"
        case keyInvalid = "key-invalid"
        case bodyInvalid = "body-invalid"
        case bodyTooLarge = "body-too-large"
        case stateForeign = "state-foreign"
        case commandRefused = "command-refused"
        case inputLost = "input-lost"
        case rebuildBusy = "rebuild-busy"
        case instanceAway = "instance-away"
        case originForeign = "origin-foreign"
        case eventsFull = "events-full"
        case tokenMissing = "token-missing"
        case tokenInvalid = "token-invalid"
        case roleInsufficient = "role-insufficient"
        case notReady = "not-ready"
        case notHealthy = "not-healthy"
        case internalError = "internal"

        var status: Int {
            switch self {
            case .parameterInvalid, .keyInvalid, .bodyInvalid, .modelInvalid: 400
            case .tokenMissing, .tokenInvalid: 401
            case .originForeign, .roleInsufficient: 403
            case .streamUnknown, .modelUnknown, .pathUnknown: 404
            case .methodNotAllowed: 405
            case .stateForeign, .commandRefused: 409
            case .inputLost: 410
            case .bodyTooLarge: 413
            case .internalError: 500
            case .notReady, .notHealthy, .eventsFull, .rebuildBusy, .instanceAway: 503
            }
        }

        var title: String {
            switch self {
            case .streamUnknown: "No such stream"
            case .modelUnknown: "No such model"
            case .modelInvalid: "Not a model that can serve"
            case .pathUnknown: "No such path"
            case .methodNotAllowed: "Method not allowed"
            case .parameterInvalid: "Invalid parameter"
            case .keyInvalid: "Invalid stream key"
            case .bodyInvalid: "Invalid body"
            case .bodyTooLarge: "Body too large"
            case .stateForeign: "State of another model"
            case .commandRefused: "Command refused"
            case .inputLost: "Inputs no longer there"
            case .rebuildBusy: "Another state is being rebuilt"
            case .instanceAway: "Another instance does not answer"
            case .originForeign: "Request of a foreign page"
            case .eventsFull: "Too many event streams"
            case .tokenMissing: "Access token needed"
            case .tokenInvalid: "Access token not valid"
            case .roleInsufficient: "Role not sufficient"
            case .notReady: "Not ready"
            case .notHealthy: "Not healthy"
            case .internalError: "Internal error"
            }
        }

        /// The header `WWW-Authenticate` with its error code, after RFC 6750.
        var challenge: String? {
            switch self {
            case .tokenMissing: "Bearer realm=\"sluice\""
            case .tokenInvalid: "Bearer realm=\"sluice\", error=\"invalid_token\""
            case .roleInsufficient: "Bearer realm=\"sluice\", error=\"insufficient_scope\""
            default: nil
            }
        }
    }

    /// Where the kind is described: a URI reference into the API's own description.
    package let type: String
    package let title: String
    package let status: Int
    package let detail: String
    package let code: String
    /// Extension member `reasons`, where there is more than one.
    package let reasons: [String]
    /// Methods for the header `Allow`.
    let allowed: String?
    /// The header `WWW-Authenticate`.
    let challenge: String?

    package init(_ kind: Kind, _ detail: String, reasons: [String] = [], allowed: String? = nil) {
        type = "/openapi.yaml#/components/x-problems/\(kind.rawValue)"
        title = kind.title
        status = kind.status
        code = kind.rawValue
        challenge = kind.challenge
        self.detail = detail
        self.reasons = reasons
        self.allowed = allowed
    }

    /// Nothing can be done now, for one reason.
    package init(notReady reason: String) { self.init(.notReady, reason, reasons: [reason]) }

    /// A failure of the service: 503 if trying again may help, else 500.
    package init(_ error: SluiceError) {
        type = "about:blank"
        title = error.retry == .later ? "Service Unavailable" : "Internal Server Error"
        status = error.retry == .later ? 503 : 500
        code = error.code.rawValue
        detail = error.description
        reasons = []
        allowed = nil
        challenge = nil
    }
}

extension Problem: JSONWritable {
    package func write(to json: inout JSONWriter) {
        json.object {
            $0.member("type", type)
            $0.member("title", title)
            $0.member("status", status)
            $0.member("detail", detail)
            $0.member("code", code)
            if !reasons.isEmpty { $0.member("reasons", reasons) }
        }
    }
}

extension Problem: CustomStringConvertible {
    /// For the log.
    package var description: String { "\(code): \(detail)" }
}
