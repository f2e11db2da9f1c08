internal import Hummingbird
internal import Logging

/// Stands around every handler: turns what is thrown into problem documents, counts, and writes the log.
///
/// A request is logged at debug, a slow or failing one at notice; but `/readyz`, which is asked all the time, always at
/// debug: why the service is not ready is in the log anyway.
struct RequestGate: RouterMiddleware {
    let slow: Duration
    let requests: RequestMetrics

    @concurrent func handle(
        _ request: Request, context: AdminRequestContext,
        next: @concurrent (Request, AdminRequestContext) async throws -> Response
    ) async throws -> Response {
        let clock = ContinuousClock()
        let start = clock.now
        var response: Response
        var failure: (any Error)?
        do {
            try refuseForeignOrigin(request)
            response = try await next(request, context)
        } catch {
            failure = error
            response = Response(Problem(thrown: error, path: request.uri.path))
        }
        // What is sent is what its type says, whatever a browser makes of the bytes.
        response.headers[.xContentTypeOptions] = "nosniff"
        requests.count(route: context.endpointPath, status: response.status.code)
        let elapsed = start.duration(to: clock.now)
        let isLoud = (response.status.code >= 500 || elapsed > slow) && request.uri.path != "/readyz"
        var metadata: Logger.Metadata = [
            "method": "\(request.method)", "path": "\(request.uri.path)", "status": "\(response.status.code)",
            "duration": "\(elapsed)", "address": "\(context.address)",
        ]
        if let failure { metadata["error"] = "\(failure)" }
        context.logger.log(level: isLoud ? .notice : .debug, "request", metadata: metadata)
        return response
    }

    /// A web page of another origin may send simple POSTs to a service on this machine: they are not its user's wish.
    private func refuseForeignOrigin(_ request: Request) throws {
        guard request.method == .post, let origin = request.headers[.origin] else { return }
        let authority = origin.split(separator: "/", maxSplits: 2).last.map(String.init)
        guard origin.contains("://"), authority == request.head.authority else {
            throw Problem(.originForeign, "\(origin) is not this service")
        }
    }
}
