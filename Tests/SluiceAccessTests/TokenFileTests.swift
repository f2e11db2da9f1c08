import Foundation
import SluiceCore
import Testing

@testable import SluiceAccess

@Suite struct TokenFileTests {
    @Test func writtenTokensReadBackAsTheSame() throws {
        var file = TokenFile()
        #expect(try TokenFile(text: file.text, name: "t") == file)
        _ = try file.add(name: "grafana", role: .viewer, created: Date(timeIntervalSince1970: 1_767_225_600.7))
        _ = try file.add(name: nil, role: .admin)
        let again = try TokenFile(text: file.text, name: "t")
        #expect(again == file)
        #expect(again.tokens[0].createdText == "2026-01-01T00:00:00Z")
        #expect(again.tokens[1].name == "admin-\(again.tokens[1].id)")
    }

    @Test func secretsAreLongRandomAndNowhereInTheFile() throws {
        var file = TokenFile()
        let secrets = try (0..<20).map { _ in try file.add(name: nil, role: .viewer).secret.text }
        #expect(Set(secrets).count == 20)
        for secret in secrets {
            // 256 bits in characters of six.
            #expect(secret.wholeMatch(of: /sluice_[A-Za-z0-9_-]{43}/) != nil)
            #expect(!file.text.contains(secret.dropFirst(TokenSecret.prefix.count)))
        }
    }

    @Test func onlyTheSecretItselfBearsItsToken() throws {
        var file = TokenFile()
        let made = try (0..<5).map { try file.add(name: "t\($0)", role: .viewer) }
        for (token, secret) in made {
            #expect(file.tokens.bearer(of: secret.text) == token)
            #expect(file.tokens.bearer(of: secret.text.dropLast()) == nil)
            #expect(file.tokens.bearer(of: secret.text + " ") == nil)
            #expect(file.tokens.bearer(of: secret.text.dropFirst(TokenSecret.prefix.count)) == nil)
        }
        #expect(file.tokens.bearer(of: "") == nil)
        #expect([].bearer(of: made[0].secret.text) == nil)
    }

    @Test func digestIsTheSecretsSHA256() throws {
        let digest = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
        let file = try TokenFile(text: Self.entry(sha256: digest), name: "t")
        #expect(file.tokens.bearer(of: "test") == file.tokens[0])
    }

    @Test func namesAndIdsAreUniqueTogether() throws {
        var file = TokenFile()
        let first = try file.add(name: "a", role: .viewer).token
        for taken in ["a", first.id] {
            let error = #expect(throws: SluiceError.self) { try file.add(name: taken, role: .viewer) }
            #expect(error?.message == "there is a token \(taken) already")
        }
        #expect(file.tokens == [first])
    }

    @Test(arguments: ["", " ", "a b", "a\nb", "ä", "a\"", "a/b", "-a", String(repeating: "x", count: 65)])
    func namesThatCouldBeMistakenAreRefused(_ name: String) {
        var file = TokenFile()
        #expect(throws: SluiceError.self) { try file.add(name: name, role: .admin) }
    }

    @Test func revokedByNameOrId() throws {
        var file = TokenFile()
        let (a, b) = (try file.add(name: "a", role: .viewer).token, try file.add(name: "b", role: .admin).token)
        #expect(file.revoke("nobody") == nil)
        #expect(file.revoke(a.id) == a)
        #expect(file.revoke("b") == b)
        #expect(file.tokens.isEmpty)
    }

    @Test(arguments: ["", "# nothing\n", "tokens:\n", "tokens: []\n", "~", "{}"])
    func emptyFilesHoldNoTokens(_ text: String) throws {
        #expect(try TokenFile(text: text, name: "t").tokens.isEmpty)
    }

    private static let zeros = String(repeating: "0", count: 64)

    private static func entry(
        id: String = "1", name: String = "a", role: String = "viewer", created: String = "2026-01-01T00:00:00Z",
        sha256: String = zeros
    ) -> String {
        """
        tokens:
          - id: "\(id)"
            name: "\(name)"
            role: \(role)
            created: "\(created)"
            sha256: "\(sha256)"

        """
    }

    static let broken: [(text: String, problem: String)] = [
        ("token: []", "t:1: unknown key \"token\"; there are: tokens"),
        ("- a", "t:1: expected tokens with values"),
        ("tokens: all", "t:1: tokens: expected a list"),
        ("tokens:\n  - a", "t:2: expected id, name, role, created, sha256 with values"),
        (entry() + "    expires: never\n", "t:7: unknown key \"expires\"; there are: id, name, role, created, sha256"),
        (entry() + "    role: admin\n", "t:4: \"role\" stands here and again further down"),
        (entry(role: "owner"), "t:4: role: \"owner\" is neither viewer nor admin"),
        (entry(role: "[admin]"), "t:4: role: it is neither viewer nor admin"),
        (entry(name: "a b"), "t:3: name: \"a b\" \(TokenFile.nameRule)"),
        (entry(created: "today"), "t:5: created: \"today\" is not a time such as 2026-01-01T00:00:00Z"),
        (entry(sha256: "00"), "t:6: sha256: \"00\" is not 64 hexadecimal digits"),
        (entry(id: "x") + entry(id: "x", name: "b").dropFirst(8), "t:7: two tokens are called \"x\""),
        (entry() + entry(id: "2", name: "1").dropFirst(8), "t:7: two tokens are called \"1\""),
        (entry() + entry(id: "2", name: "b").dropFirst(8), "t:7: sha256: two tokens have the same"),
        (entry().replacing("    role: viewer\n", with: ""), "t:2: role: is missing"),
        ("tokens:\n  - id: \"x", "t:2: not YAML: found unexpected end of stream"),
        ("a: 1\n---\nb: 1\n", "t:2: not YAML: but found another document"),
    ]

    @Test(arguments: broken) func brokenFilesAreRefusedWithTheLine(_ text: String, _ problem: String) {
        let error = #expect(throws: SluiceError.self) { try TokenFile(text: text, name: "t") }
        #expect(error?.message == problem)
        #expect(error?.code == .tokens)
    }
}
