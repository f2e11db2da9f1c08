import Foundation
import Hummingbird
import SluiceAccess
import SluiceAdminTestKit
import SluiceCore
import Testing
import Yams

@testable import SluiceAdmin

@Suite struct AccessTests {
    /// Method and path of every operation that `/openapi.yaml` describes, and whether it describes it as open.
    private static func operations() throws -> [(method: HTTPRequest.Method, path: String, isOpen: Bool)] {
        let text = String(decoding: PackageResources.openapi_yaml, as: UTF8.self)
        let document = try #require(try Yams.load(yaml: text) as? [String: Any])
        #expect((document["security"] as? [[String: Any]])?.map(\.keys.first) == ["token"])
        let paths = try #require(document["paths"] as? [String: [String: Any]])
        return paths.flatMap { path, item in
            ["get", "post", "put", "delete", "patch"].compactMap { method in
                // An answer without an end has none to wait for.
                guard let operation = item[method] as? [String: Any], !"\(operation)".contains("text/event-stream")
                else { return nil }
                let security = operation["security"] as? [Any]
                return (
                    HTTPRequest.Method(rawValue: method.uppercased()) ?? .get,
                    path.replacing("{key}", with: "pump-17").replacing("{file}", with: "app.js"),
                    security?.isEmpty ?? false
                )
            }
        }
    }

    @Test func everyRouteButTheOpenOnesNeedsAToken() async throws {
        let server = guarded(try TokenFolder(.viewer))
        let operations = try Self.operations()
        #expect(operations.count >= 9)
        #expect(
            operations.filter(\.isOpen).map(\.path).sorted() == [
                "/", "/dashboard/app.js", "/healthz", "/openapi.yaml", "/readyz",
            ])
        for (method, path, isOpen) in operations {
            let answer = try await server.ask(method, path)
            guard !isOpen else {
                #expect(answer.status == 200, "\(path)")
                continue
            }
            #expect(answer.status == 401, "\(method) \(path)")
            #expect(answer.problem?.code == "token-missing")
            #expect(answer.headers[.contentType] == "application/problem+json")
            #expect(answer.headers[.wwwAuthenticate] == "Bearer realm=\"sluice\"")
        }
    }

    @Test(arguments: [
        "/dashboard/none.js", "/v2/streams", "/v1/streams/a/b", "//v1//streams", "/v1/streams/..%2F..%2Fhealthz",
    ])
    func pathsThatAreNoneAreGuardedToo(_ path: String) async throws {
        #expect(try await guarded(try TokenFolder(.viewer)).ask(.get, path).status == 401)
    }

    @Test func viewersReadAndChangeNothing() async throws {
        let (folder, backend) = (try TokenFolder(.viewer), FakeBackend())
        let server = guarded(folder, backend: backend)
        for (method, path, _) in try Self.operations() {
            let answer = try await server.ask(method, path, token: folder.secret(.viewer))
            if method == .get {
                #expect(![401, 403].contains(answer.status), "\(path)")
            } else {
                #expect(answer.status == 403, "\(method) \(path)")
                #expect(answer.problem?.code == "role-insufficient")
                #expect(answer.headers[.wwwAuthenticate] == "Bearer realm=\"sluice\", error=\"insufficient_scope\"")
            }
        }
        #expect(try await server.ask(.head, "/v1/streams", token: folder.secret(.viewer)).status == 200)
        #expect(backend.resets.isEmpty)
    }

    @Test func whatAdminsDoBearsTheirTokensName() async throws {
        let (folder, backend) = (try TokenFolder(.viewer, .admin), FakeBackend())
        let server = guarded(folder, backend: backend)
        #expect(try await server.ask(.get, "/v1/streams", token: folder.secret(.admin)).status == 200)
        let reset = try await server.ask(.post, "/v1/streams/pump-17/reset", token: folder.secret(.admin))
        #expect(reset.status == 200)
        let many = try await server.ask(
            .post, "/v1/streams/reset", token: folder.secret(.admin), body: #"{"all":true}"#)
        #expect(many.status == 202)
        #expect(backend.resets == ["stream pump-17 by admin", "all by admin"])
    }

    @Test func otherAuthorizationsAreRefused() async throws {
        let folder = try TokenFolder(.viewer)
        let (server, secret) = (guarded(folder), folder.secret(.viewer))
        for header in [
            "", "Bearer", "Bearer ", secret, "Basic \(secret)", "Bearer \(secret)x", "Bearer \(secret.dropLast())",
            "Bearer \(secret), Bearer \(secret)", "Bearer \(secret.uppercased())", "Bearer \(secret) \(secret)",
        ] {
            let answer = try await server.ask(.get, "/v1/streams", headers: [.authorization: header])
            #expect(answer.status == 401, "\(header)")
            #expect(answer.problem?.code == "token-invalid")
            #expect(answer.headers[.wwwAuthenticate] == "Bearer realm=\"sluice\", error=\"invalid_token\"")
            #expect(!answer.text.contains(secret.dropFirst(7)))
        }
        // The scheme's case is free.
        #expect(try await server.ask(.get, "/v1/streams", headers: [.authorization: "bearer \(secret)"]).status == 200)
    }

    @Test func loopbackIsOpenUntilThereIsAToken() async throws {
        let folder = try TokenFolder()
        let (server, backend) = (guarded(folder), FakeBackend())
        #expect(try await server.ask(.get, "/v1/streams").status == 200)
        #expect(try await guarded(nil, backend: backend).ask(.post, "/v1/streams/pump-17/reset").status == 200)
        #expect(backend.resets == ["stream pump-17 by unknown"])
        try folder.add(.viewer)
        #expect(try await server.ask(.get, "/v1/streams").status == 401)
        #expect(try await server.ask(.get, "/v1/streams", token: folder.secret(.viewer)).status == 200)
    }

    @Test func otherAddressesAreNeverOpen() async throws {
        for folder in [nil, try TokenFolder()] {
            let server = guarded(folder, host: "0.0.0.0")
            #expect(try await server.ask(.get, "/v1/streams").status == 401)
            #expect(try await server.ask(.get, "/healthz").status == 200)
        }
    }

    @Test(arguments: ["127.0.0.1", "0.0.0.0"])
    func revokedTokensAreRefusedAtOnce(_ host: String) async throws {
        let folder = try TokenFolder(.viewer, .admin)
        let server = guarded(folder, host: host)
        try folder.revoke(.viewer)
        #expect(try await server.ask(.get, "/v1/streams", token: folder.secret(.viewer)).status == 401)
        #expect(try await server.ask(.get, "/v1/streams", token: folder.secret(.admin)).status == 200)
        // The last one: nothing opens for that.
        try folder.revoke(.admin)
        for token in [nil, folder.secret(.viewer), folder.secret(.admin)] {
            #expect(try await server.ask(.get, "/v1/streams", token: token).status == 401)
        }
    }

    @Test(arguments: ["127.0.0.1", "0.0.0.0"])
    func filesThatAreEmptiedOrRemovedCloseEverything(_ host: String) async throws {
        for isRemoved in [false, true] {
            let (folder, log) = (try TokenFolder(.admin), CapturedLog())
            let server = guarded(folder, host: host, log: log)
            if isRemoved { try folder.remove() } else { try folder.write("") }
            #expect(try await server.ask(.get, "/v1/streams").status == 401)
            #expect(try await server.ask(.get, "/v1/streams", token: folder.secret(.admin)).status == 401)
            #expect(try await server.ask(.get, "/readyz").status == 200)
            #expect(log.lines.count { $0.hasPrefix("warning there are no access tokens any more") } == 1)
            try folder.add(.viewer)
            #expect(try await server.ask(.get, "/v1/streams", token: folder.secret(.viewer)).status == 200)
        }
    }

    @Test func brokenFilesLeaveWhatWasAndAreLoggedOnce() async throws {
        let (folder, log) = (try TokenFolder(.viewer), CapturedLog())
        let server = guarded(folder, log: log)
        try folder.write("tokens: nonsense")
        for _ in 0..<3 {
            #expect(try await server.ask(.get, "/v1/streams").status == 401)
            #expect(try await server.ask(.get, "/v1/streams", token: folder.secret(.viewer)).status == 200)
        }
        let errors = log.lines.filter { $0.hasPrefix("error") }
        #expect(errors.count == 1)
        #expect(errors.first?.contains("\(folder.path):1: tokens: expected a list") == true)
        try folder.remove()
        try folder.add(.admin)
        #expect(try await server.ask(.get, "/v1/streams", token: folder.secret(.viewer)).status == 401)
        #expect(try await server.ask(.get, "/v1/streams", token: folder.secret(.admin)).status == 200)
    }

    @Test func brokenFilesAreNotStartedWith() async throws {
        let folder = try TokenFolder()
        try folder.write("tokens: nonsense")
        let server = guarded(folder)
        let error = await #expect(throws: SluiceError.self) { try await server.run() }
        #expect(error?.message == "\(folder.path):1: tokens: expected a list")
        #expect(try await server.ask(.get, "/v1/streams").status == 401)
    }

    @Test func openResponsesEndWithTheirToken() async throws {
        let folder = try TokenFolder(.viewer)
        let access = AccessControl(tokens: folder.path, host: "127.0.0.1", logger: CapturedLog().logger)
        let router = Router(context: AdminRequestContext.self)
        router.add(middleware: AccessGate(access: access, refusals: RefusalLog()))
        router.get("/endless") { _, _ in
            Response(
                status: .ok,
                body: ResponseBody { writer in
                    try await writer.write(ByteBuffer(string: "before "))
                    try folder.revoke(.viewer)
                    await #expect(throws: CancellationError.self) {
                        try await writer.write(ByteBuffer(string: "after"))
                    }
                    try await writer.finish(nil)
                })
        }
        let secret = folder.secret(.viewer)
        let answer = try await Application(router: router, logger: CapturedLog().logger)
            .ask(.get, "/endless", headers: [.authorization: "Bearer \(secret)"])
        #expect(answer.text == "before ")
    }
}
