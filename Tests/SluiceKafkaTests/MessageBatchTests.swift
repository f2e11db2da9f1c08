import Testing

@testable import SluiceKafka

@Suite struct MessageBatchTests {
    /// A record as the protocol has it, lent as librdkafka does.
    private static func hasNoHeaders(
        key: String = "k", value: String, length: [UInt8], headers: [UInt8] = [0], gap: Int? = nil
    ) -> Bool {
        let wire = Array(key.utf8) + length + Array(value.utf8) + headers
        return wire.withUnsafeBytes { wire in
            let start = key.utf8.count + (gap ?? length.count)
            return MessageBatch.hasNoHeaders(
                key: UnsafeRawBufferPointer(rebasing: wire[..<key.utf8.count]),
                value: UnsafeRawBufferPointer(rebasing: wire[start..<start + value.utf8.count]))
        }
    }

    @Test(arguments: [
        (1, [2]), (63, [126]), (64, [128, 1]), (141, [154, 2]), (8_191, [254, 127]), (8_192, [128, 128, 1]),
    ])
    func aRecordWithoutHeadersIsKnown(length: Int, varint: [UInt8]) {
        let value = String(repeating: "v", count: length)
        #expect(Self.hasNoHeaders(value: value, length: varint))
        #expect(!Self.hasNoHeaders(value: value, length: varint, headers: [2, 2, 97, 1]), "it has one")
        #expect(!Self.hasNoHeaders(value: value, length: [varint[0] ^ 2] + varint.dropFirst()), "another length")
        #expect(!Self.hasNoHeaders(value: value, length: [0] + varint), "more than the length")
        #expect(
            !Self.hasNoHeaders(value: value, length: [0, 0, 0, UInt8(truncatingIfNeeded: length)]), "an older format")
        #expect(!Self.hasNoHeaders(value: value, length: [], headers: [0]), "nothing")
    }

    @Test func whatIsNullIsAskedFor() {
        let none = UnsafeRawBufferPointer(start: nil, count: 0)
        let bytes: [UInt8] = [107, 2, 118, 0]
        bytes.withUnsafeBytes { bytes in
            let (key, value) = (
                UnsafeRawBufferPointer(rebasing: bytes[..<1]), UnsafeRawBufferPointer(rebasing: bytes[2..<3])
            )
            #expect(MessageBatch.hasNoHeaders(key: key, value: value))
            #expect(!MessageBatch.hasNoHeaders(key: none, value: value))
            #expect(!MessageBatch.hasNoHeaders(key: key, value: none))
            #expect(!MessageBatch.hasNoHeaders(key: value, value: key), "the other way about")
        }
    }
}
