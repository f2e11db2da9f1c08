import Foundation
import SluiceAccess
import SluiceAdminTestKit
import Testing

@testable import SluiceCommands

@Suite struct TokensCommandTests {
    private struct Row: Decodable, Equatable {
        let id: String
        let name: String
        let role: String
        let created: String
        let secret: String?
    }

    private struct Rows: Decodable {
        let tokens: [Row]
    }

    private func decode<Value: Decodable>(_ text: String) throws -> Value {
        try JSONDecoder().decode(Value.self, from: Data(text.utf8))
    }

    @Test func secretIsShownOnceAloneOnStdout() async throws {
        try await withFolder { folder in
            let file = folder.file("tokens.yaml")
            let made = await sluice("tokens", "add", "--role", "viewer", "--name", "grafana", "--file", file)
            #expect(made.code == 0)
            let secret = try #require(made.out.lines.first.map(String.init))
            #expect(made.out == secret + "\n" && secret.hasPrefix("sluice_"))
            #expect(made.error.hasPrefix("token grafana (viewer) is in \(file); ") && !made.error.contains(secret))
            #expect(try TokenFile.read(file)?.tokens.bearer(of: secret)?.name == "grafana")
            #expect(!(try folder.read("tokens.yaml").contains(secret)))
            let listed = await sluice("tokens", "list", "--file", file)
            #expect(listed.code == 0 && !listed.out.contains(secret) && listed.error.isEmpty)
            #expect(listed.out.lines.count == 2 && listed.out.lines[1].hasPrefix("grafana  viewer  20"))
        }
    }

    @Test func jsonHoldsTheSame() async throws {
        try await withFolder { folder in
            let file = folder.file("tokens.yaml")
            #expect(await sluice("tokens", "list", "--file", file, "--json").out == "{\"tokens\":[]}\n")
            let made: Row = try decode(await sluice("tokens", "add", "--role", "admin", "--file", file, "--json").out)
            #expect(
                made.role == "admin" && made.name == "admin-\(made.id)" && made.secret?.hasPrefix("sluice_") == true)
            let rows: Rows = try decode(await sluice("tokens", "list", "--file", file, "--json").out)
            let expected = Row(id: made.id, name: made.name, role: made.role, created: made.created, secret: nil)
            #expect(rows.tokens == [expected])
            let revoked: Row = try decode(await sluice("tokens", "revoke", made.id, "--file", file, "--json").out)
            #expect(revoked == expected)
        }
    }

    @Test func revokedTokensAreGoneAndOthersUnknown() async throws {
        try await withFolder { folder in
            let file = folder.file("tokens.yaml")
            for name in ["a", "b"] {
                #expect(await sluice("tokens", "add", "--role", "viewer", "--name", name, "--file", file).code == 0)
            }
            let again = await sluice("tokens", "add", "--role", "admin", "--name", "a", "--file", file)
            #expect(again.code == 1 && again.out.isEmpty && again.error.contains("there is a token a already"))
            let revoked = await sluice("tokens", "revoke", "a", "--file", file)
            #expect(revoked.code == 0 && revoked.out.hasPrefix("revoked a (") && revoked.error.isEmpty)
            let unknown = await sluice("tokens", "revoke", "a", "--file", file)
            #expect(unknown.code == 1 && unknown.error.contains("there is no token a in \(file)"))
            #expect(await sluice("tokens", "revoke", "b", "--file", file).error.hasPrefix("no tokens are left: "))
            #expect(await sluice("tokens", "list", "--file", file).error == "no tokens in \(file)\n")
        }
    }

    @Test func fileComesFromTheConfiguration() async throws {
        try await withFolder { folder in
            let file = folder.file("named.yaml")
            let config = try folder.write(Self.configuration(listen: "0.0.0.0:0", tokens: file), "sluice.yaml")
            // What needs tokens must not be needed to make the first.
            #expect(await sluice("tokens", "add", "--role", "admin", "-c", config).code == 0)
            #expect(try TokenFile.read(file)?.tokens.count == 1)
            let other = folder.file("other.yaml")
            let variable = await sluice(
                "tokens", "add", "--role", "admin", "-c", config, environment: ["SLUICE_ADMIN__TOKENS": other])
            #expect(variable.code == 0)
            #expect(try TokenFile.read(other)?.tokens.count == 1)
            let missing = await sluice("tokens", "list", "-c", folder.file("none.yaml"))
            #expect(missing.code == 1 && missing.error.contains("--file FILE"))
        }
    }

    @Test func brokenFilesAreRefusedWithTheLine() async throws {
        try await withFolder { folder in
            let file = try folder.write("tokens:\n  - id: a\n    nmae: b\n", "tokens.yaml")
            for command in [["list"], ["add", "--role", "admin"], ["revoke", "a"]] {
                let result = await sluice(list: ["tokens"] + command + ["--file", file])
                #expect(result.code == 1)
                #expect(result.error.hasPrefix("error: \(file):3: unknown key \"nmae\"; there are: id, name, role, "))
            }
            #expect(try folder.read("tokens.yaml") == "tokens:\n  - id: a\n    nmae: b\n")
        }
    }

    private static func configuration(listen: String, tokens: String) -> String {
        """
        application: pumps
        kafka: {bootstrap.servers: "127.0.0.1:1"}
        input: {topic: in, features: {x: /values/x, y: /values/y}}
        output: {topic: out}
        admin:
          listen: "\(listen)"
          tokens: "\(tokens)"

        """
    }

    @Test func servingOthersNeedsAToken() async throws {
        try await withFolder { folder in
            let file = folder.file("tokens.yaml")
            let config = try folder.write(Self.configuration(listen: "0.0.0.0:0", tokens: file), "sluice.yaml")
            let model = try folder.model()
            let expected =
                "\(config):6: admin.listen: 0.0.0.0 is reachable from other machines and there are no access"
                + " tokens in \(file): make one with \"sluice tokens add --role admin\", or listen on 127.0.0.1"
            for command in [["config", "check"], ["serve", "--model", model]] {
                let refused = await sluice(list: command + ["-c", config])
                #expect(refused.code == 1 && refused.error.contains(expected), "\(refused.error)")
            }
            #expect(await sluice("config", "show", "-c", config).code == 0)
            #expect(await sluice("tokens", "add", "--role", "viewer", "--file", file).code == 0)
            #expect(await sluice("config", "check", "-c", config).code == 0)
            try folder.write("tokens: nonsense", "tokens.yaml")
            let broken = await sluice("config", "check", "-c", config)
            #expect(broken.code == 1)
            #expect(broken.error.contains("\(config):7: admin.tokens: \(file):1: tokens: expected a list"))
        }
    }

    @Test func clientSaysWhatToDoWithoutATokenThatServes() async throws {
        try await withFolder { folder in
            let file = folder.file("tokens.yaml")
            let secret = await sluice("tokens", "add", "--role", "viewer", "--name", "reader", "--file", file).out
                .trimmingCharacters(in: .newlines)
            let backend = FakeBackend()
            try await withService(backend, tokens: file) { url in
                let missing = await sluice("streams", "list", "--url", url)
                #expect(missing.code == 1 && missing.error.contains("--token or SLUICE_TOKEN"))
                let empty = await sluice("streams", "list", "--url", url, environment: ["SLUICE_TOKEN": ""])
                #expect(empty == missing)
                let wrong = await sluice("streams", "list", "--url", url, "--token", "sluice_wrong")
                #expect(wrong.code == 1 && wrong.error.contains("sluice tokens list"))
                #expect(!wrong.error.contains("sluice_wrong"))
                let listed = await sluice("streams", "list", "--url", url, environment: ["SLUICE_TOKEN": secret])
                #expect(listed.code == 0 && listed.out.contains("pump-17"))
                let viewer = await sluice("streams", "reset", "pump-17", "--url", url, "--token", secret)
                #expect(viewer.code == 1 && viewer.error.contains("reader is a viewer"))
                #expect(viewer.error.contains("sluice tokens add --role admin"))
                #expect(backend.resets.isEmpty)
            }
        }
    }
}
