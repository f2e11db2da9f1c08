import Foundation
import SluiceAccess
import SluiceCore
import Testing

@Suite struct TokenDiskTests {
    @Test func filesAreMadeForTheirOwnerAlone() async throws {
        try await withTokenFile { path in
            #expect(try TokenFile.read(path) == nil)
            _ = try TokenFile.edit(path) { try $0.add(name: "a", role: .viewer) }
            #expect(try mode(path) == 0o600)
            // Somebody has loosened it; the next edit does not leave it so.
            try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: path)
            _ = try TokenFile.edit(path) { try $0.add(name: "b", role: .viewer) }
            #expect(try mode(path) == 0o600)
            #expect(try TokenFile.read(path)?.tokens.map(\.name) == ["a", "b"])
        }
    }

    @Test func concurrentEditsLoseNothing() async throws {
        try await withTokenFile { path in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for worker in 0..<4 {
                    group.addTask {
                        for index in 0..<10 {
                            _ = try TokenFile.edit(path) { try $0.add(name: "\(worker)-\(index)", role: .viewer) }
                        }
                    }
                }
                try await group.waitForAll()
            }
            #expect(Set(try TokenFile.read(path)?.tokens.map(\.name) ?? []).count == 40)
        }
    }

    @Test func editsThatFailLeaveTheFileAsItWas() async throws {
        try await withTokenFile { path in
            _ = try TokenFile.edit(path) { try $0.add(name: "a", role: .viewer) }
            let before = try Data(contentsOf: URL(filePath: path))
            #expect(throws: SluiceError.self) {
                try TokenFile.edit(path) { file in
                    _ = file.revoke("a")
                    throw SluiceError(.tokens, "no")
                }
            }
            #expect(try Data(contentsOf: URL(filePath: path)) == before)
            try write("tokens: nonsense", path)
            let error = #expect(throws: SluiceError.self) {
                try TokenFile.edit(path) { try $0.add(name: "b", role: .viewer) }
            }
            #expect(error?.message == "\(path):1: tokens: expected a list")
            #expect(try String(contentsOfFile: path, encoding: .utf8) == "tokens: nonsense")
        }
    }

    @Test func linksStayLinks() async throws {
        try await withTokenFile { path in
            let link = path + ".link"
            _ = try TokenFile.edit(path) { try $0.add(name: "a", role: .viewer) }
            try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: path)
            _ = try TokenFile.edit(link) { try $0.add(name: "b", role: .viewer) }
            #expect(try FileManager.default.destinationOfSymbolicLink(atPath: link) == path)
            #expect(try TokenFile.read(path)?.tokens.count == 2)
        }
    }

    @Test func whatIsNoSuchFileIsRefused() async throws {
        try await withTokenFile { path in
            try Data([0xff, 0xfe, 0x00]).write(to: URL(filePath: path))
            #expect(throws: SluiceError.self) { try TokenFile.read(path) }
            try Data(repeating: UInt8(ascii: "#"), count: Limits.tokenFileBytes + 1).write(to: URL(filePath: path))
            #expect(throws: SluiceError.self) { try TokenFile.read(path) }
            let folder = URL(filePath: path).deletingLastPathComponent().path(percentEncoded: false)
            #expect(throws: SluiceError.self) { try TokenFile.read(folder) }
            let error = #expect(throws: SluiceError.self) {
                try TokenFile.edit(folder + "none/tokens.yaml") { try $0.add(name: "a", role: .viewer) }
            }
            #expect(error?.message == "\(folder)none/tokens.yaml cannot be written")
        }
    }

    /// What a look tells, in short.
    private func look(_ watch: inout TokenWatch) -> String {
        switch watch.look() {
        case .unchanged: "unchanged"
        case .changed(let file): file.map { $0.tokens.map(\.name).joined(separator: " ") } ?? "none"
        case .broken(let error): error.message
        }
    }

    @Test func watchSeesEveryChangeOnce() async throws {
        try await withTokenFile { path in
            var watch = TokenWatch(path)
            #expect([look(&watch), look(&watch)] == ["none", "unchanged"])
            _ = try TokenFile.edit(path) { try $0.add(name: "a", role: .viewer) }
            #expect([look(&watch), look(&watch)] == ["a", "unchanged"])
            _ = try TokenFile.edit(path) { try $0.add(name: "b", role: .viewer) }
            #expect([look(&watch), look(&watch)] == ["a b", "unchanged"])
            try write("tokens: nonsense", path)
            #expect([look(&watch), look(&watch)] == ["\(path):1: tokens: expected a list", "unchanged"])
            try write("", path)
            #expect([look(&watch), look(&watch)] == ["", "unchanged"])
            try FileManager.default.removeItem(atPath: path)
            #expect([look(&watch), look(&watch)] == ["none", "unchanged"])
        }
    }

    @Test(arguments: [
        ("localhost", true), ("127.0.0.1", true), ("127.9.8.7", true), ("::1", true), ("0.0.0.0", false), ("::", false),
        ("127.example.org", false), ("127.0.0.1.example", false), ("127.0.0", false), ("", false),
    ])
    func loopbackIsCertain(_ host: String, _ isLoopback: Bool) {
        #expect(Loopback.contains(host) == isLoopback)
    }
}
