import Foundation
import Logging
import SluiceAccess
import SluiceAdminTestKit
import Synchronization

@testable import SluiceAdmin

/// Tokens on disk with their secrets by name, in a folder that is gone with the value.
final class TokenFolder: Sendable {
    let path: String
    private let folder: String
    private let secrets = Mutex<[String: String]>([:])

    /// Tokens of these names, each called like its role.
    init(_ roles: AccessRole...) throws {
        folder = NSTemporaryDirectory() + "sluice-admin-\(UUID().uuidString)"
        path = folder + "/tokens.yaml"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        for role in roles { try add(role) }
    }

    deinit { try? FileManager.default.removeItem(atPath: folder) }

    func add(_ role: AccessRole) throws {
        let secret = try TokenFile.edit(path) { try $0.add(name: role.rawValue, role: role).secret.text }
        secrets.withLock { $0[role.rawValue] = secret }
    }

    func revoke(_ role: AccessRole) throws { _ = try TokenFile.edit(path) { $0.revoke(role.rawValue) } }

    func write(_ text: String) throws { try Data(text.utf8).write(to: URL(filePath: path)) }

    func remove() throws { try FileManager.default.removeItem(atPath: path) }

    /// The secret, also of a token that has been revoked.
    func secret(_ role: AccessRole) -> String { secrets.withLock { $0[role.rawValue] } ?? "" }
}

/// Log lines, as `level message key=value …`.
final class CapturedLog: Sendable {
    private let captured = Mutex<[String]>([])

    var lines: [String] { captured.withLock { $0 } }
    var logger: Logger {
        var logger = Logger(label: "test") { _ in Handler(log: self) }
        logger.logLevel = .trace
        return logger
    }

    private struct Handler: LogHandler {
        let log: CapturedLog
        var metadata: Logger.Metadata = [:]
        var logLevel = Logger.Level.trace

        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }

        func log(event: LogEvent) {
            let all = metadata.merging(event.metadata ?? [:]) { $1 }
            let pairs = all.sorted { $0.key < $1.key }.map { " \($0.key)=\($0.value)" }.joined()
            log.captured.withLock { $0.append("\(event.level) \(event.message)\(pairs)") }
        }
    }
}

/// A server over a fake backend; not running.
func guarded(
    _ folder: TokenFolder?, host: String = "127.0.0.1", backend: FakeBackend = FakeBackend(),
    log: CapturedLog = CapturedLog()
) -> AdminServer {
    AdminServer(
        host: host, port: 0, tokens: folder?.path, backend: backend, metrics: PrometheusRegistry(), logger: log.logger)
}
