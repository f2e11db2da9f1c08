import Foundation
import Logging
import ServiceLifecycle
import SluiceAdmin
import SluiceAdminTestKit
import Synchronization

@testable import SluiceCommands

/// What a command left behind.
struct CommandResult: Equatable {
    let code: Int32
    let out: String
    let error: String
}

/// Runs a command in this process with a console that records.
///
/// - Parameter enough: looked at after every output; once true the command is cancelled.
func sluice(
    _ arguments: String..., list: [String] = [], isTerminal: Bool = false, answers: [String]? = nil,
    environment: [String: String] = [:], enough: (@Sendable (String) -> Bool)? = nil
) async -> CommandResult {
    let texts = Mutex((out: "", error: "", answers: answers ?? []))
    let (cancelled, canceller) = AsyncStream<Void>.makeStream()
    let console = Console(
        out: { text in
            let out = texts.withLock { texts in
                texts.out += text
                return texts.out
            }
            if enough?(out) == true { canceller.yield() }
        },
        error: { text in texts.withLock { $0.error += text } },
        read: { texts.withLock { $0.answers.isEmpty ? nil : $0.answers.removeFirst() } },
        isTerminal: isTerminal, isInteractive: answers != nil, environment: environment, progressAfter: .seconds(3_600),
        checkpointEvery: .zero)
    let code = await Console.$current.withValue(console) {
        await withTaskGroup(of: Int32?.self) { group in
            group.addTask { await CommandLineEntry.run(arguments + list) }
            group.addTask {
                for await _ in cancelled { return nil }
                return nil
            }
            let first = await group.next() ?? nil
            group.cancelAll()
            if let first { return first }
            return await group.next().flatMap(\.self) ?? -1
        }
    }
    return texts.withLock { CommandResult(code: code, out: $0.out, error: $0.error) }
}

/// A live server over a fake backend while `body` runs, which is given its address.
///
/// - Parameter tokens: its file of access tokens.
func withService(
    _ backend: FakeBackend = FakeBackend(), tokens: String? = nil, _ body: (String) async throws -> Void
) async throws {
    var logger = Logger(label: "test")
    logger.logLevel = .critical
    let server = AdminServer(
        host: "127.0.0.1", port: 0, tokens: tokens, backend: backend, metrics: PrometheusRegistry(), logger: logger)
    let group = ServiceGroup(services: [server], logger: logger)
    let running = Task { try await group.run() }
    do {
        try await body("http://127.0.0.1:\(try await server.listeningPort)")
        await group.triggerGracefulShutdown()
        try await running.value
    } catch {
        await group.triggerGracefulShutdown()
        throw error
    }
}
