internal import Hummingbird
internal import Logging
internal import Synchronization

/// One line for a refused request, never what was presented; then silence for a while, for somebody who guesses must
/// not fill the disk. The next line says how many there were in between.
final class RefusalLog: Sendable {
    static let silence = Duration.seconds(10)

    private struct State {
        var last: ContinuousClock.Instant?
        var unsaid = 0
    }

    private let state = Mutex(State())
    private let now: @Sendable () -> ContinuousClock.Instant

    init(now: @escaping @Sendable () -> ContinuousClock.Instant = { .now }) { self.now = now }

    func refused(_ request: Request, _ context: AdminRequestContext, _ problem: Problem) {
        let now = now()
        let unsaid: Int? = state.withLock { state in
            if let last = state.last, now - last < Self.silence {
                state.unsaid += 1
                return nil
            }
            defer { state = State(last: now) }
            return state.unsaid
        }
        guard let unsaid else { return }
        var metadata: Logger.Metadata = [
            "address": "\(context.address)", "method": "\(request.method)", "path": "\(request.uri.path)",
            "code": "\(problem.code)",
        ]
        if context.caller != context.address { metadata["token"] = "\(context.caller)" }
        if unsaid > 0 { metadata["before"] = "\(unsaid)" }
        context.logger.warning("refused", metadata: metadata)
    }
}
