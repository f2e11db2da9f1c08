import Foundation
import Testing

/// Compares a text with `Snapshots/<name>.txt`. With RECORD_SNAPSHOTS=1 it writes the file and fails, so that what was
/// recorded is looked at before it counts.
func expectSnapshot(_ text: String, _ name: String, sourceLocation: SourceLocation = #_sourceLocation) throws {
    let file = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Snapshots/\(name).txt")
    if ProcessInfo.processInfo.environment["RECORD_SNAPSHOTS"] == "1" {
        try Data(text.utf8).write(to: file)
        Issue.record("recorded \(file.lastPathComponent)", sourceLocation: sourceLocation)
        return
    }
    let expected = try? String(decoding: Data(contentsOf: file), as: UTF8.self)
    #expect(text == expected, "RECORD_SNAPSHOTS=1 records it anew", sourceLocation: sourceLocation)
}
