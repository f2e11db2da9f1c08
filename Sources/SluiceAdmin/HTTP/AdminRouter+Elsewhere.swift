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
        let absence: Problem
        do {
            return try await here()
        } catch let problem as Problem where problem.isAbsence {
            absence = problem
        }
        guard !request.isForwarded, let others = backend.others,
            let instance = try await holder(request, of: others, partition: partition, absence)
        else { throw absence }
        return try await forward(request, body, seconds, to: instance, of: others, context)
    }

    /// The instance that has the stream of a request, or the owner of `partition` where none has.
    ///
    /// - Parameter absence: why it is not answered here; the first thing to mend where that cannot be said for certain.
    /// - Throws: `absence`; `instance-away`.
    private func holder(
        _ request: Request, of others: any OtherInstances, partition: Int32?, _ absence: Problem
    ) async throws -> OtherInstance? {
        do {
            let stream = Self.stream(request)
            if let home = try await others.holder(of: stream, authorization: request.headers[.authorization]) {
                return home.instance
            }
            guard let partition else { return nil }
            return try await others.owner(of: partition)
        } catch let problem as Problem {
            let isCertain = absence.code == Problem.Kind.streamUnknown.rawValue
            throw isCertain || problem.code != Problem.Kind.instanceAway.rawValue ? problem : absence
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
