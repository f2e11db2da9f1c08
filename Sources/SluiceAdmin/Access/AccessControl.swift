internal import Logging
internal import SluiceAccess
internal import SluiceCore
internal import Synchronization

/// Who may ask, by the access tokens of a file as they are at every request.
///
/// Without tokens a service on loopback is open and any other closed. What has been guarded once stays so while the
/// service runs: no file that is emptied or removed opens it.
final class AccessControl: Sendable {
    private struct State {
        var watch: TokenWatch?
        var tokens: [AccessToken] = []
        var isGuarded: Bool
        /// Why the file could not be read last time.
        var failure: SluiceError?
    }

    private let state: Mutex<State>
    private let host: String
    private let logger: Logger

    /// - Parameters:
    ///   - file: nil for none, ever.
    ///   - host: where the service listens.
    init(tokens file: String?, host: String, logger: Logger) {
        self.host = host
        self.logger = logger
        var state = State(watch: file.map { TokenWatch($0) }, isGuarded: !Loopback.contains(host))
        _ = Self.look(&state)
        // Somebody meant to guard it.
        if state.failure != nil { state.isGuarded = true }
        self.state = Mutex(state)
    }

    /// Refuses to start what would be open to others, or closed to everybody.
    ///
    /// - Throws: a broken file's error; `configuration-invalid` without tokens where they are needed.
    func check() throws {
        try state.withLock { state in
            if let failure = state.failure { throw failure }
            guard state.isGuarded, state.tokens.isEmpty else { return }
            let file = state.watch.map { " in \($0.path)" } ?? ""
            throw SluiceError(
                .invalidConfiguration,
                "admin.listen: \(host) is reachable from other machines and there are no access tokens\(file)",
                remedy: "make one with 'sluice tokens add --role admin', or listen on 127.0.0.1")
        }
    }

    /// The token that a request presents; nil where none is needed.
    ///
    /// - Parameter authorization: the header.
    /// - Throws: a `Problem` without a token that is valid now.
    func identify(_ authorization: String?) throws -> AccessToken? {
        let (tokens, isGuarded) = current()
        guard isGuarded else { return nil }
        guard let authorization else {
            throw Problem(.tokenMissing, "this needs an access token, sent as Authorization: Bearer TOKEN")
        }
        let parts = authorization.split(separator: " ", maxSplits: 1)
        guard parts.count == 2, parts[0].lowercased() == "bearer", let token = tokens.bearer(of: parts[1]) else {
            throw Problem(.tokenInvalid, "the access token is not, or no longer, one of this service")
        }
        return token
    }

    /// Whether what `identify` said still holds.
    func stillAdmits(_ token: AccessToken?) -> Bool {
        let (tokens, isGuarded) = current()
        guard let token else { return !isGuarded }
        return tokens.contains(token)
    }

    private func current() -> (tokens: [AccessToken], isGuarded: Bool) {
        let (sight, tokens, isGuarded) = state.withLock { state in
            let sight = Self.look(&state)
            return (sight, state.tokens, state.isGuarded)
        }
        switch sight {
        case .unchanged: break
        case .changed where tokens.isEmpty && isGuarded:
            logger.warning("there are no access tokens any more: nobody is let in until there is one")
        case .changed:
            logger.notice("the access tokens have changed", metadata: ["tokens": "\(tokens.count)"])
        case .broken(let error):
            logger.error("the access tokens stay as they were: their file is broken", metadata: ["error": "\(error)"])
        }
        return (tokens, isGuarded)
    }

    private static func look(_ state: inout State) -> TokenWatch.Sight {
        guard let sight = state.watch?.look() else { return .unchanged }
        switch sight {
        case .unchanged: break
        case .changed(let file):
            state.failure = nil
            state.tokens = file?.tokens ?? []
            if !state.tokens.isEmpty { state.isGuarded = true }
        case .broken(let error): state.failure = error
        }
        return sight
    }
}
