import Foundation
import Testing

private let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Snapshots")

func snapshot(_ name: String) throws -> String {
    try String(contentsOf: folder.appending(path: name), encoding: .utf8)
}

/// Compares a printed text with `Snapshots/name`. With RECORD_SNAPSHOTS set it writes the file and fails, so that no
/// run that records can pass.
func assertSnapshot(_ name: String, _ text: String, sourceLocation: SourceLocation = #_sourceLocation) throws {
    if ProcessInfo.processInfo.environment["RECORD_SNAPSHOTS"] != nil {
        try text.write(to: folder.appending(path: name), atomically: true, encoding: .utf8)
        Issue.record("recorded \(name); run again without RECORD_SNAPSHOTS", sourceLocation: sourceLocation)
    } else {
        let expected = try snapshot(name)
        #expect(text == expected, "record with RECORD_SNAPSHOTS=1 if this is meant", sourceLocation: sourceLocation)
    }
}
