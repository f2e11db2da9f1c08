internal import Hummingbird
internal import SluiceAccess

/// Lets through who may: viewers to what reads, admins to everything. Stands before every route that is added to the
/// router after it.
struct AccessGate: RouterMiddleware {
    let access: AccessControl
    let refusals: RefusalLog

    @concurrent func handle(
        _ request: Request, context: AdminRequestContext,
        next: @concurrent (Request, AdminRequestContext) async throws -> Response
    ) async throws -> Response {
        var context = context
        let token: AccessToken?
        do {
            token = try access.identify(request.headers[.authorization])
            if let token {
                context.caller = token.name
                guard token.role == .admin || [.get, .head].contains(request.method) else {
                    throw Problem(.roleInsufficient, "\(token.name) is a viewer: this needs a token of the role admin")
                }
            }
        } catch let problem as Problem {
            refusals.refused(request, context, problem)
            throw problem
        }
        var response = try await next(request, context)
        if response.body.contentLength == nil {
            // What goes on and on must end when the token does.
            response.body = response.body.map { [access] part in
                guard access.stillAdmits(token) else { throw CancellationError() }
                return part
            }
        }
        return response
    }
}
