import Hummingbird
import SluiceAccess
import SluiceAdminTestKit
import Synchronization
import Testing

@testable import SluiceAdmin

@Suite struct RefusalLogTests {
    private func refusals(_ log: CapturedLog) -> [String] { log.lines.filter { $0.hasPrefix("warning refused") } }

    @Test func refusedRequestsAreSaidWithoutTheirSecret() async throws {
        let (folder, log) = (try TokenFolder(.viewer), CapturedLog())
        let server = guarded(folder, log: log)
        let guess = "sluice_guess"
        _ = try await server.ask(.get, "/v1/streams/x?after=\(guess)", token: guess)
        let lines = refusals(log)
        #expect(lines.count == 1)
        #expect(lines.first?.contains("address=unknown code=token-invalid ") == true)
        #expect(lines.first?.contains("method=GET path=/v1/streams/x") == true)
        #expect(!log.lines.contains { $0.contains(guess) }, "\(log.lines)")
    }

    @Test func viewersThatAreRefusedAreNamed() async throws {
        let (folder, log) = (try TokenFolder(.viewer), CapturedLog())
        _ = try await guarded(folder, log: log).ask(
            .post, "/v1/streams/pump-17/reset", token: folder.secret(.viewer))
        #expect(refusals(log).first?.contains("code=role-insufficient") == true)
        #expect(refusals(log).first?.hasSuffix(" token=viewer") == true)
        #expect(!log.lines.contains { $0.contains(folder.secret(.viewer)) })
    }

    /// Probes ask for it all the time, and while much is restored each takes its time.
    @Test(arguments: [("/readyz", false), ("/x", true)]) func readinessIsLoggedQuietly(path: String, loud: Bool)
        async throws
    {
        let log = CapturedLog()
        let router = Router(context: AdminRequestContext.self)
        router.add(middleware: RequestGate(slow: .zero, requests: RequestMetrics(PrometheusRegistry())))
        router.get(RouterPath(path)) { _, _ -> String in throw Problem(notReady: "restoring") }
        #expect(try await Application(router: router, logger: log.logger).ask(.get, path).status == 503)
        let lines = log.lines.filter { $0.contains(" request ") }
        #expect(lines.count == 1 && lines.allSatisfy { $0.hasPrefix(loud ? "notice" : "debug") }, "\(log.lines)")
    }

    @Test func guessersDoNotFillTheLog() async throws {
        let (folder, log) = (try TokenFolder(.viewer), CapturedLog())
        let time = Mutex(ContinuousClock.now)
        let access = AccessControl(tokens: folder.path, host: "127.0.0.1", logger: log.logger)
        let router = Router(context: AdminRequestContext.self)
        router.add(middleware: RequestGate(slow: .seconds(60), requests: RequestMetrics(PrometheusRegistry())))
        router.add(
            middleware: AccessGate(access: access, refusals: RefusalLog(now: { time.withLock { $0 } })))
        router.get("/x") { _, _ in "x" }
        let application = Application(router: router, logger: log.logger)
        for _ in 0..<100 { #expect(try await application.ask(.get, "/x").status == 401) }
        #expect(refusals(log).count == 1)
        time.withLock { $0 += RefusalLog.silence }
        for _ in 0..<5 { _ = try await application.ask(.get, "/x") }
        #expect(refusals(log).count == 2)
        #expect(refusals(log).last?.contains(" before=99 ") == true)
    }
}
