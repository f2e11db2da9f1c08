import Foundation

@testable import SluiceStore

let modelHash = String(repeating: "a7", count: 32)

/// A folder of the test's own, gone with it.
final class TemporaryFolder {
    let path: String

    init() throws {
        path = NSTemporaryDirectory() + "sluice-store-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }
}

let identity = StateIdentity(cluster: "c1", application: "pumps", topic: "observations")

extension TemporaryFolder {
    func open(_ identity: StateIdentity = identity) throws -> StateDirectory {
        try StateDirectory(path + "/state", identity: identity)
    }
}
