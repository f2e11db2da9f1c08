import SluiceCore
import Testing

@Suite struct SHA256Tests {
    /// FIPS 180-4's examples, NIST's "SHA256.pdf".
    @Test(arguments: [
        ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
        ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
        (
            "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
        ),
    ]) func hashesAreThoseOfTheStandard(text: String, hash: String) {
        #expect(SHA256.hash(Array(text.utf8).span.bytes).hexadecimal == hash)
    }

    @Test func piecesHashAsTheWhole() {
        var hash = SHA256()
        for length in 0..<1_000 {
            hash.update([UInt8](repeating: UInt8(ascii: "a"), count: length).span.bytes)
            hash.update([UInt8](repeating: UInt8(ascii: "a"), count: 1_000 - length).span.bytes)
        }
        // The standard's million of "a".
        #expect(hash.finalize().hexadecimal == "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0")
    }
}
