internal import Hummingbird
internal import SluiceCore

extension AdminRouter {
    func models(_ request: Request, _ context: AdminRequestContext) async throws -> Response {
        _ = try RequestReading.query(request, names: [])
        return Response(json: try await backend.models())
    }

    func promote(_ request: Request, _ context: AdminRequestContext) async throws -> Response {
        _ = try RequestReading.query(request, names: [])
        _ = try await RequestReading.body(request, as: NoBody.self)
        let version = try RequestReading.key(context)
        return try await answer { try await backend.promote(version, by: context.caller) }
    }

    func rollBack(_ request: Request, _ context: AdminRequestContext) async throws -> Response {
        _ = try RequestReading.query(request, names: [])
        _ = try await RequestReading.body(request, as: NoBody.self)
        return try await answer { try await backend.rollBack(by: context.caller) }
    }

    private func answer(_ body: () async throws -> Promotion) async throws -> Response {
        do {
            let promotion = try await body()
            return Response(json: promotion, status: promotion.settled ? .ok : .accepted)
        } catch let error as SluiceError where error.code == .unknownModel {
            throw Problem(.modelUnknown, error.description)
        }
    }

    /// An object without members, or no body at all.
    private struct NoBody: Decodable {}
}
