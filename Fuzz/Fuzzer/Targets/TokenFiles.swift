import Foundation
import SluiceAccess
import SluiceCore

/// A file of access tokens.
struct TokenFiles: FuzzTarget {
    static func seeds() throws -> [Seed] {
        var file = TokenFile()
        let created = Date(timeIntervalSince1970: 1_767_225_900)
        _ = try file.add(name: "anna", role: .admin, created: created)
        _ = try file.add(name: nil, role: .viewer, created: created)
        let single = file.text.split(separator: "  - id").prefix(2).joined(separator: "  - id")
        return [
            Seed("seed-two", file.text), Seed("seed-one", single), Seed("seed-none", TokenFile().text),
            Seed("seed-flow", "tokens: [{id: a, name: b, role: viewer, created: 2026-01-01T00:00:00Z, sha256: 0}]"),
        ]
    }

    func run(_ bytes: UnsafeRawBufferPointer) throws {
        guard let text = String(validating: bytes, as: UTF8.self) else { return }
        let read = try expecting(.tokens) { try TokenFile(text: text, name: "tokens.yaml") }
        guard let file = read else { return }
        let again = try TokenFile(text: file.text, name: "again.yaml")
        check(again == file, "a file reads back as it is written:\n\(file.text)")
        for token in file.tokens { check(file[token.id] == token && file[token.name] == token, "names are unique") }
    }
}
