import Foundation
import Hummingbird
import HummingbirdTesting
import Logging
import SluiceAdminTestKit

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
        return try await application.test(.router) { [headers] client in
            try await client.execute(
                uri: uri, method: method, headers: headers, body: body.map { ByteBuffer(string: $0) }
            ) { response in
                RouterAnswer(
                    status: response.status.code, headers: response.headers, text: String(buffer: response.body))
            }
        }
    }
}
