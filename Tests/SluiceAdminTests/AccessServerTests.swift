import Foundation
import FoundationNetworking
import ServiceLifecycle
import SluiceAccess
import SluiceAdminTestKit
import Testing

@testable import SluiceAdmin

/// Tokens over a real socket.
@Suite struct AccessServerTests {
    private func ask(_ method: String, _ port: Int, _ path: String, _ token: String?) async throws -> HTTPURLResponse {
        let url = try #require(URL(string: "http://127.0.0.1:\(port)\(path)"))
        var request = URLRequest(url: url, timeoutInterval: 60)
        request.httpMethod = method
        if let token { request.setValue("Bearer \(token)", forHTTPHeaderField: "Authorization") }
        return try #require(try await URLSession.shared.data(for: request).1 as? HTTPURLResponse)
    }

    @Test(arguments: ["127.0.0.1", "0.0.0.0"])
    func tokensRuleWhileTheServerRuns(_ host: String) async throws {
        let (folder, backend, log) = (try TokenFolder(.viewer), FakeBackend(), CapturedLog())
        let server = guarded(folder, host: host, backend: backend, log: log)
        let group = ServiceGroup(services: [server], logger: log.logger)
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await group.run() }
            let port = try await server.listeningPort
            let refused = try await ask("GET", port, "/v1/streams", nil)
            #expect(refused.statusCode == 401)
            #expect(refused.value(forHTTPHeaderField: "WWW-Authenticate") == "Bearer realm=\"sluice\"")
            #expect(refused.value(forHTTPHeaderField: "Content-Type") == "application/problem+json")
            #expect(try await ask("GET", port, "/readyz", nil).statusCode == 200)
            #expect(try await ask("GET", port, "/metrics", folder.secret(.viewer)).statusCode == 200)
            #expect(try await ask("POST", port, "/v1/streams/pump-17/reset", folder.secret(.viewer)).statusCode == 403)
            try folder.add(.admin)
            #expect(try await ask("POST", port, "/v1/streams/pump-17/reset", folder.secret(.admin)).statusCode == 200)
            #expect(backend.resets == ["stream pump-17 by admin"])
            try folder.revoke(.viewer)
            #expect(try await ask("GET", port, "/v1/streams", folder.secret(.viewer)).statusCode == 401)
            try folder.remove()
            #expect(try await ask("GET", port, "/v1/streams", folder.secret(.admin)).statusCode == 401)
            #expect(log.lines.contains { $0.hasPrefix("warning refused") && $0.contains("address=127.0.0.1") })
            await group.triggerGracefulShutdown()
            try await tasks.next()
        }
    }
}
