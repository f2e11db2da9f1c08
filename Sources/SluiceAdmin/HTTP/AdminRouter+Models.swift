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

    func exportModel(_ request: Request, _ context: AdminRequestContext) async throws -> Response {
        _ = try RequestReading.query(request, names: [])
        let version = try RequestReading.key(context)
        return Response(bytes: try await known { try await backend.export(model: version) })
    }

    func importModel(_ request: Request, _ context: AdminRequestContext) async throws -> Response {
        _ = try RequestReading.query(request, names: [])
        let body = try await request.body.collect(upTo: Limits.modelBytes)
        return try await known {
            Response(json: try await backend.import(model: Array(body.readableBytesView), by: context.caller))
        }
    }

    private func answer(_ body: () async throws -> Promotion) async throws -> Response {
        let promotion = try await known(body)
        return Response(json: promotion, status: promotion.settled ? .ok : .accepted)
    }

    private func known<Result>(_ body: () async throws -> Result) async throws -> Result {
        do {
            return try await body()
        } catch let error as SluiceError where error.code == .unknownModel {
            throw Problem(.modelUnknown, error.description)
        } catch let error as SluiceError where [.invalidModel, .invalidConfiguration].contains(error.code) {
            throw Problem(.modelInvalid, error.description)
        }
    }

    /// An object without members, or no body at all.
    private struct NoBody: Decodable {}
}
