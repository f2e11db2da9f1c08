package import Foundation
package import SluiceCore

/// The access tokens of a service, as their file holds them.
package struct TokenFile: Sendable, Equatable {
    /// In the order in which they were made.
    package internal(set) var tokens: [AccessToken] = []

    package init() {}

    /// Makes a token and its secret, which is kept nowhere.
    ///
    /// - Parameter name: without one it is called by its role and id.
    /// - Throws: `tokens` for a name that is taken, or that has other characters than those of `isName`.
    package mutating func add(
        name: String?, role: AccessRole, created: Date = .now
    ) throws -> (token: AccessToken, secret: TokenSecret) {
        guard tokens.count < Limits.accessTokens else {
            throw SluiceError(
                .tokens, "there are \(Limits.accessTokens) tokens already", remedy: "revoke those that nobody uses")
        }
        if let name {
            guard Self.isName(name) else { throw SluiceError(.tokens, "\"\(name)\" \(Self.nameRule)") }
            guard self[name] == nil else {
                throw SluiceError(
                    .tokens, "there is a token \(name) already", remedy: "choose another name, or revoke that one first"
                )
            }
        }
        var id: String
        repeat {
            id = String(UInt32.random(in: .min ... .max), radix: 16)
            id = String(repeating: "0", count: 8 - id.count) + id
        } while self[id] != nil || self["\(role)-\(id)"] != nil || id == name
        let secret = TokenSecret()
        // Whole seconds, as the file keeps them.
        let second = Date(timeIntervalSince1970: created.timeIntervalSince1970.rounded(.down))
        let token = AccessToken(
            id: id, name: name ?? "\(role)-\(id)", role: role, created: second, digest: secret.digest)
        tokens.append(token)
        return (token, secret)
    }

    /// The token of a name or an id: no two share either.
    package subscript(nameOrID: String) -> AccessToken? {
        tokens.first { $0.name == nameOrID || $0.id == nameOrID }
    }

    /// Takes a token out, by its name or id; nil if there is none.
    package mutating func revoke(_ nameOrID: String) -> AccessToken? {
        let token = self[nameOrID]
        tokens.removeAll { $0 == token }
        return token
    }

    /// Names are shown in logs and tables, and typed: 1 to 64 letters, digits, `.`, `_`, `-` and `@`, but no flags.
    static func isName(_ text: some StringProtocol) -> Bool {
        (1...64).contains(text.utf8.count) && !text.hasPrefix("-")
            && text.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"):
                    true
                default: "._-@".utf8.contains(byte)
                }
            }
    }

    static let nameRule = "is not a name: 1 to 64 letters, digits, \".\", \"_\", \"@\" and, not in front, \"-\""
}

extension SluiceError.Code {
    /// Access tokens, or their file.
    package static let tokens = SluiceError.Code("tokens")
}
