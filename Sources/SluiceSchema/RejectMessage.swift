public import SluiceCore

/// A refused input on its way to the rejects topic: the original key and bytes, the reason in headers.
public struct RejectMessage: Sendable, Equatable {
    /// Names of the headers.
    public enum Header {
        public static let error = "sluice-error"
        public static let message = "sluice-message"
        /// `topic/partition/offset`
        public static let source = "sluice-source"
        /// Only where the body was cut: its original length, and the SHA-256 of all of it in hexadecimal.
        public static let truncated = "sluice-truncated"
        public static let sha256 = "sluice-sha256"
        /// Only where the key was cut: its original length.
        public static let keyTruncated = "sluice-key-truncated"
    }

    /// Ranges of the arena a reject was encoded into.
    public struct Encoded {
        /// Nil: null.
        public var key: Range<Int>?
        public var value: Range<Int>?
        public var headers: [(name: String, value: Range<Int>)]
    }

    public var code: String
    public var message: String
    public var topic: String
    public var partition: Int32
    public var offset: Offset

    public init(code: RejectCode, message: String, topic: String, partition: Int32, offset: Offset) {
        self.code = code.text
        self.message = message
        self.topic = topic
        self.partition = partition
        self.offset = offset
    }

    /// How much of a refused input is kept.
    public enum Extent: Sendable, CaseIterable {
        case whole
        /// `Limits.rejectBodyBytes` of key and value each.
        case cut
        /// As much of the key, and an empty value.
        case key
        /// The headers alone: a null key and an empty value.
        case headers
    }

    /// Appends key, value and headers. Of a value larger than `Limits.observationBytes`, or one that with its key and
    /// headers exceeds `bytesMax`, no more than a cut is kept.
    public func encode(
        key: UnsafeRawBufferPointer, value: UnsafeRawBufferPointer, bytesMax: Int, _ extent: Extent = .whole,
        into arena: inout ByteArena
    ) -> Encoded {
        var encoded = Encoded(key: nil, value: nil, headers: [])
        func header(_ name: String, _ text: String, _ arena: inout ByteArena) {
            let start = arena.count
            arena.append(text)
            encoded.headers.append((name, start..<arena.count))
        }
        header(Header.error, code, &arena)
        header(Header.message, message, &arena)
        header(Header.source, "\(topic)/\(partition)/\(offset)", &arena)
        // The record's framing and the names of the headers take some bytes as well.
        let headerBytes = encoded.headers.reduce(512) { $0 + $1.value.count }
        let isTooLarge = value.count > Limits.observationBytes || key.count + value.count + headerBytes > bytesMax
        let extent = extent == .whole && isTooLarge ? .cut : extent

        func body(_ bytes: UnsafeRawBufferPointer, _ countMax: Int, _ arena: inout ByteArena) -> Range<Int>? {
            guard bytes.baseAddress != nil else { return nil }
            let start = arena.count
            arena.append(UnsafeRawBufferPointer(rebasing: bytes.prefix(countMax)))
            return start..<arena.count
        }
        let kept = extent == .whole ? Int.max : Limits.rejectBodyBytes
        if extent != .headers { encoded.key = body(key, kept, &arena) }
        encoded.value = body(value, extent == .whole || extent == .cut ? kept : 0, &arena)
        if let kept = encoded.value?.count, kept < value.count {
            header(Header.truncated, String(value.count), &arena)
            header(Header.sha256, SHA256.hash(value.bytes).hexadecimal, &arena)
        }
        if encoded.key?.count ?? 0 < key.count { header(Header.keyTruncated, String(key.count), &arena) }
        return encoded
    }
}
