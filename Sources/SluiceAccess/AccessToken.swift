internal import Crypto
package import Foundation

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
        let bits = SymmetricKey(size: .bits256).withUnsafeBytes { Data($0) }
        // Base64 for URLs, RFC 4648: no character that a shell, a header or a URL reads otherwise.
        let encoded = bits.base64EncodedString().replacing("+", with: "-").replacing("/", with: "_")
        text = Self.prefix + encoded.prefix { $0 != "=" }
    }

    var digest: Data { Data(SHA256.hash(data: Data(text.utf8))) }
}

extension Collection<AccessToken> {
    /// The token with this secret. How long that takes tells nothing about any of them: all are compared, each in
    /// constant time.
    package func bearer(of secret: some StringProtocol) -> AccessToken? {
        let presented = SHA256.hash(data: Data(secret.utf8))
        var found: AccessToken?
        for token in self where presented == token.digest { found = token }
        return found
    }
}
