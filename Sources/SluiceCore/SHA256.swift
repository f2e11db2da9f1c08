internal import CLibcrypto

/// SHA-256 (FIPS 180-4) of bytes that come in pieces: OpenSSL's libcrypto, which librdkafka links to in any case.
///
/// What fails in libcrypto is memory, or a configuration of the system that leaves no SHA-256: it ends the program.
@safe
public struct SHA256: ~Copyable {
    private let context: OpaquePointer

    public init() {
        guard let context = EVP_MD_CTX_new(), EVP_DigestInit_ex(context, EVP_sha256(), nil) == 1 else {
            preconditionFailure("OpenSSL's libcrypto gives no SHA-256")
        }
        self.context = context
    }

    deinit { EVP_MD_CTX_free(context) }

    public mutating func update(_ bytes: RawSpan) {
        let isDone = bytes.withUnsafeBytes { EVP_DigestUpdate(context, $0.baseAddress, $0.count) }
        precondition(isDone == 1, "OpenSSL's libcrypto fails to hash")
    }

    /// The 32 bytes.
    public consuming func finalize() -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: 32) { digest, count in
            precondition(
                EVP_DigestFinal_ex(context, digest.baseAddress, nil) == 1, "OpenSSL's libcrypto fails to hash")
            count = 32
        }
    }

    /// The 32 bytes of `bytes`.
    public static func hash(_ bytes: RawSpan) -> [UInt8] {
        var hash = SHA256()
        hash.update(bytes)
        return hash.finalize()
    }
}
