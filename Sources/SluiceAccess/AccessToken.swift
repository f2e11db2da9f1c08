package import Foundation
internal import SluiceCore

/// What the bearer of a token may do.
package enum AccessRole: String, Sendable, CaseIterable {
    /// Read.
    case viewer
    /// Read and change.
    case admin
}

/// An access token without its secret.
package struct AccessToken: Hashable, Sendable {
    /// Random, for those whom a name is not enough.
    package let id: String
    /// What audit records show; unique within a file.
    package let name: String
    package let role: AccessRole
    package let created: Date
    /// SHA-256 of the secret. No salt and no slow hash: those protect passwords, which people choose and others guess;
    /// of a secret of 256 random bits there is nothing to guess.
    let digest: Data

    /// When it was made: RFC 3339 in UTC, whole seconds.
    package var createdText: String { created.formatted(.iso8601) }
}

/// What the bearer of a token sends: 256 random bits behind a prefix by which those who scan repositories and logs for
/// secrets know it.
package struct TokenSecret: Sendable {
    package static let prefix = "sluice_"

    package let text: String

    package init() {
        // The system's generator, getrandom(2), is for keys.
        var system = SystemRandomNumberGenerator()
        let bits = Data((0..<32).map { _ in UInt8.random(in: .min ... .max, using: &system) })
        // Base64 for URLs, RFC 4648: no character that a shell, a header or a URL reads otherwise.
        let encoded = bits.base64EncodedString().replacing("+", with: "-").replacing("/", with: "_")
        text = Self.prefix + encoded.prefix { $0 != "=" }
    }

    var digest: Data { Data(SHA256.hash(Array(text.utf8).span.bytes)) }
}

extension Collection<AccessToken> {
    /// The token with this secret. How long that takes tells nothing about any of them: all are compared, each in
    /// constant time.
    package func bearer(of secret: some StringProtocol) -> AccessToken? {
        let presented = SHA256.hash(Array(secret.utf8).span.bytes)
        var found: AccessToken?
        for token in self where zip(presented, token.digest).reduce(0, { $0 | ($1.0 ^ $1.1) }) == 0 { found = token }
        return found
    }
}
