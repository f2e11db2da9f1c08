internal import Foundation
internal import SluiceCore
internal import Yams

extension TokenFile {
    /// What the file holds.
    package var text: String {
        let head = """
            # Access tokens of Sluice, edited by 'sluice tokens'; comments of others are not kept. A running service
            # follows this file. It holds no secrets, only their SHA-256.

            """
        guard !tokens.isEmpty else { return head + "tokens: []\n" }
        return tokens.reduce(into: head + "tokens:\n") { text, token in
            let digest = token.digest.map { String(format: "%02x", $0) }.joined()
            text += """
                  - id: "\(token.id)"
                    name: "\(token.name)"
                    role: \(token.role)
                    created: "\(token.createdText)"
                    sha256: "\(digest)"

                """
        }
    }

    /// Reads a file's text; an empty one holds no tokens.
    ///
    /// - Parameter name: the file's, for messages.
    /// - Throws: `tokens` with `name:line: what is wrong`. Strict, for a slip here could let somebody in.
    package init(text: String, name: String) throws {
        do {
            try self.init(text)
        } catch let flaw as Flaw {
            throw SluiceError(
                .tokens, "\(name):\(flaw.line): \(flaw.message)",
                remedy: "the file is best left to 'sluice tokens add' and 'revoke'")
        }
    }

    /// What is wrong, on which line from 1.
    private struct Flaw: Error {
        let message: String
        let line: Int

        init(_ message: String, line: Int?) {
            self.message = message
            self.line = max(1, line ?? 1)
        }

        init(_ error: YamlError) {
            switch error {
            case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _),
                .composer(_, let problem, let mark, _):
                self.init("not YAML: \(problem)", line: mark.line)
            case .duplicatedKeysInMapping(let keys, let context):
                self.init("\"\(keys.first ?? "")\" stands here and again further down", line: context.mark.line)
            default: self.init("not YAML: \(error)", line: 1)
            }
        }
    }

    private init(_ text: String) throws {
        let root: Node?
        do { root = try Yams.compose(yaml: text) } catch let error as YamlError { throw Flaw(error) }
        guard let root, !Self.isNull(root) else { return }
        let list = try Self.members(root, known: ["tokens"])["tokens"]
        guard let list, !Self.isNull(list) else { return }
        guard let entries = list.sequence else { throw Flaw("tokens: expected a list", line: list.mark?.line) }
        guard entries.count <= Limits.accessTokens else {
            throw Flaw("tokens: more than \(Limits.accessTokens)", line: list.mark?.line)
        }
        for entry in entries {
            let (token, line) = (try Self.token(entry), entry.mark?.line)
            for known in [token.id, token.name] where self[known] != nil {
                throw Flaw("two tokens are called \"\(known)\"", line: line)
            }
            guard !tokens.contains(where: { $0.digest == token.digest }) else {
                throw Flaw("sha256: two tokens have the same", line: line)
            }
            tokens.append(token)
        }
    }

    private static func token(_ entry: Node) throws -> AccessToken {
        let keys = ["id", "name", "role", "created", "sha256"]
        let members = try members(entry, known: keys)
        func value<Value>(_ key: String, _ rule: String, _ read: (String) -> Value?) throws -> Value {
            guard let node = members[key] else { throw Flaw("\(key): is missing", line: entry.mark?.line) }
            guard let text = node.scalar?.string, let value = read(text) else {
                throw Flaw("\(key): \(node.scalar.map { "\"\($0.string)\"" } ?? "it") \(rule)", line: node.mark?.line)
            }
            return value
        }
        func name(_ text: String) -> String? { isName(text) ? text : nil }
        return AccessToken(
            id: try value("id", nameRule, name), name: try value("name", nameRule, name),
            role: try value("role", "is neither viewer nor admin", AccessRole.init),
            created: try value("created", "is not a time such as 2026-01-01T00:00:00Z") {
                try? Date($0, strategy: .iso8601)
            },
            digest: try value("sha256", "is not 64 hexadecimal digits", digest))
    }

    private static func members(_ node: Node, known: [String]) throws -> [String: Node] {
        guard let mapping = node.mapping else {
            throw Flaw("expected \(known.joined(separator: ", ")) with values", line: node.mark?.line)
        }
        var members: [String: Node] = [:]
        for (key, value) in mapping {
            guard let name = key.scalar?.string, known.contains(name) else {
                let name = key.scalar.map { "\"\($0.string)\"" } ?? "that is no text"
                throw Flaw("unknown key \(name); there are: \(known.joined(separator: ", "))", line: key.mark?.line)
            }
            members[name] = value
        }
        return members
    }

    private static func isNull(_ node: Node) -> Bool {
        node.scalar.map { $0.style == .plain && ["", "~", "null"].contains($0.string) } ?? false
    }

    private static func digest(_ text: String) -> Data? {
        let digits = text.utf8.compactMap { Character(UnicodeScalar($0)).hexDigitValue }
        guard digits.count == 64, text.utf8.count == 64 else { return nil }
        return Data(stride(from: 0, to: 64, by: 2).map { UInt8(digits[$0] << 4 | digits[$0 + 1]) })
    }
}
