import Foundation

/// The path of a file that does not exist yet, in a folder that is gone after `body`.
func withTokenFile<Result>(_ body: (String) async throws -> Result) async throws -> Result {
    let folder = NSTemporaryDirectory() + "sluice-access-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    return try await body(folder + "/tokens.yaml")
}

/// Writes in place, as an editor of texts may.
func write(_ text: String, _ path: String) throws { try Data(text.utf8).write(to: URL(filePath: path)) }

func mode(_ path: String) throws -> Int? {
    try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
}
