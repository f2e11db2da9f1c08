internal import Hummingbird
internal import NIOCore
internal import SluiceCore

/// Says that a request comes from another instance: it is answered here or not at all, so that none goes round in a
/// circle.
package enum ForwardedHeader {
    package static let name = "Sluice-Forwarded"
}

extension Request {
    fileprivate var isForwarded: Bool { headers[.init(ForwardedHeader.name)!] != nil }
}

/// Streams that another instance has.
extension AdminRouter {
    /// How long an earlier state is waited for: to rebuild it takes as long as its log is.
    static var rebuildSeconds: Double { 86_400 }

    /// Answers a request about one stream here, or through the instance that has it.
    ///
    /// - Parameters:
    ///   - body: as it was read.
    ///   - partition: whose owner answers where no instance knows the stream.
    ///   - here: throws `stream-unknown` where the stream is not here, `not-ready` where that cannot be said.
    /// - Throws: what `here` throws where no other instance has it either; `instance-away`.
    func answer(
        _ request: Request, _ context: AdminRequestContext, body: ByteBuffer = ByteBuffer(),
        partition: Int32? = nil, seconds: Double = 30, here: () async throws -> Response
    ) async throws -> Response {
        let others = request.isForwarded ? nil : backend.others
        do {
            return try await here()
        } catch let problem as Problem where problem.isAbsence {
            guard let others else { throw problem }
            let isCertain = problem.code == Problem.Kind.streamUnknown.rawValue
            do {
                var instance = try await others.holder(
                    of: Self.stream(request), authorization: request.headers[.authorization])?.instance
                if instance == nil, let partition { instance = try await others.owner(of: partition) }
                guard let instance else { throw problem }
                return try await forward(request, body, seconds, to: instance, of: others, context)
            } catch let second as Problem where !isCertain && second.code == Problem.Kind.instanceAway.rawValue {
                // Here is the first thing to mend.
                throw problem
            }
        }
    }

    /// Refuses to give a stream a second state on a partition where its records do not go.
    ///
    /// - Throws: `parameter-invalid` where another instance has the stream, on another partition; `instance-away` where
    ///   nobody can say.
    func checkHome(_ key: String, _ partition: Int32, _ request: Request) async throws {
        guard !request.isForwarded, let others = backend.others,
            try await backend.stream(key, fullState: false) == nil,
            let home = try await others.holder(
                of: Self.stream(request), authorization: request.headers[.authorization]),
            home.partition != partition
        else { return }
        throw Problem(
            .parameterInvalid, "the stream \(key) lives on partition \(home.partition), not on \(partition)")
    }

    /// The path of the stream that a request is about, encoded as it came.
    private static func stream(_ request: Request) -> String {
        "/" + request.uri.path.split(separator: "/").prefix(3).joined(separator: "/")
    }

    private func forward(
        _ request: Request, _ body: ByteBuffer, _ seconds: Double, to instance: OtherInstance,
        of others: any OtherInstances, _ context: AdminRequestContext
    ) async throws -> Response {
        let query = request.uri.query.map { "?\($0)" } ?? ""
        let forwarded = ForwardedRequest(
            method: request.method == .head ? "GET" : request.method.rawValue, target: request.uri.path + query,
            authorization: request.headers[.authorization], contentType: request.headers[.contentType],
            body: Array(body.readableBytesView), seconds: seconds)
        let answer = try await context.channel.whileOpen { try await others.answer(forwarded, from: instance) }
        return Response(
            status: HTTPResponse.Status(code: answer.status),
            headers: [
                .contentType: answer.contentType ?? "application/octet-stream", .cacheControl: "no-store",
            ], body: ResponseBody(byteBuffer: ByteBuffer(bytes: answer.body)))
    }
}

extension Problem {
    /// The stream is not here, or that cannot be said.
    fileprivate var isAbsence: Bool {
        [Kind.streamUnknown.rawValue, Kind.notReady.rawValue].contains(code)
    }
}
