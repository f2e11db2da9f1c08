import Foundation
import Hummingbird
import Logging
import NIOCore
import NIOEmbedded
import SluiceAdminTestKit
import Synchronization

@testable import SluiceAdmin

/// An answer of the router, its body as text.
struct RouterAnswer {
    let status: Int
    let headers: HTTPFields
    let text: String

    var problem: ProblemBody? { try? JSONDecoder().decode(ProblemBody.self, from: Data(text.utf8)) }
}

struct ProblemBody: Decodable, Equatable {
    let type: String
    let title: String
    let status: Int
    let detail: String
    let code: String
    let reasons: [String]?
}

/// Sends one request to the router, without a socket.
func ask(
    _ method: HTTPRequest.Method, _ uri: String, body: String? = nil, headers: HTTPFields = [:],
    backend: FakeBackend = FakeBackend()
) async throws -> RouterAnswer {
    var logger = Logger(label: "test")
    logger.logLevel = .critical
    return try await AdminServer(
        host: "127.0.0.1", port: 0, backend: backend, metrics: PrometheusRegistry(), logger: logger
    ).ask(method, uri, body: body, headers: headers)
}

extension AdminServer {
    /// Sends one request to the router of this server, without a socket.
    func ask(
        _ method: HTTPRequest.Method, _ uri: String, token: String? = nil, body: String? = nil,
        headers: HTTPFields = [:]
    ) async throws -> RouterAnswer {
        var headers = headers
        if let token { headers[.authorization] = "Bearer \(token)" }
        return try await application.ask(method, uri, body: body, headers: headers)
    }
}

extension Application where Responder.Context == AdminRequestContext {
    /// Sends one request to the router, without a socket. HummingbirdTesting does the same, and would have every test
    /// build wait for an HTTP client and a TLS library.
    func ask(
        _ method: HTTPRequest.Method, _ uri: String, body: String? = nil, headers: HTTPFields = [:]
    ) async throws -> RouterAnswer {
        var headers = headers
        if let body { headers[.contentLength] = String(body.utf8.count) }
        let request = Request(
            head: HTTPRequest(
                method: method, scheme: "http", authority: "localhost", path: uri, headerFields: headers),
            body: RequestBody(buffer: ByteBuffer(string: body ?? "")))
        let context = AdminRequestContext(
            source: ApplicationRequestContextSource(channel: NIOAsyncTestingChannel(), logger: logger))
        let response = try await responder.respond(to: request, context: context)
        let written = WrittenBody()
        try await response.body.write(written)
        return RouterAnswer(status: response.status.code, headers: response.headers, text: written.text)
    }
}

/// What a response writes, for as long as it does.
private final class WrittenBody: ResponseBodyWriter {
    private let bytes = Mutex(ByteBuffer())

    var text: String { bytes.withLock { String(buffer: $0) } }

    func write(_ buffer: ByteBuffer) async throws { bytes.withLock { _ = $0.writeImmutableBuffer(buffer) } }

    func finish(_ trailingHeaders: HTTPFields?) async throws {}
}
