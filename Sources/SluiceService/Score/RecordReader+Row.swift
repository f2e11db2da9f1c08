import SluiceCore
package import SluiceSchema

extension RecordReader {
    /// A record, or what cannot be one.
    package struct Row {
        /// Without its line end; of a record that is too large its beginning.
        package var bytes: UnsafeRawBufferPointer
        /// Why it is no record.
        package var refusal: Refusal?

        package init(bytes: UnsafeRawBufferPointer, refusal: Refusal? = nil) {
            self.bytes = bytes
            self.refusal = refusal
        }
    }

    package struct Refusal: Equatable, Sendable {
        package var code: RejectCode
        /// Names the line.
        package var message: String
        package var cut: Cut?
    }

    /// What a body was before it was cut.
    package struct Cut: Equatable, Sendable {
        package var length: Int64
        /// Of all of it, in hexadecimal.
        package var sha256: String

        package init(length: Int64, sha256: String) {
            self.length = length
            self.sha256 = sha256
        }
    }
}

/// A record that is larger than an observation may be, taken piece by piece: its beginning, its length, its hash.
struct LargeRecord: ~Copyable {
    private let line: Int
    /// The first `Limits.rejectBodyBytes`.
    private(set) var kept: [UInt8] = []
    private var length: Int64 = 0
    private var hash = SHA256()
    /// What came ends in CR: part of the record only if something follows.
    private var isReturnHeld = false

    init(line: Int) { self.line = line }

    /// The next bytes, without LF.
    mutating func append(_ bytes: UnsafeRawBufferPointer) {
        guard let last = bytes.last else { return }
        if isReturnHeld { withUnsafeBytes(of: UInt8(0x0D)) { add($0) } }
        isReturnHeld = last == 0x0D
        add(isReturnHeld ? UnsafeRawBufferPointer(rebasing: bytes.dropLast()) : bytes)
    }

    private mutating func add(_ bytes: UnsafeRawBufferPointer) {
        hash.update(bytes.bytes)
        length += Int64(bytes.count)
        kept += bytes.prefix(Limits.rejectBodyBytes - kept.count)
    }

    consuming func refusal() -> RecordReader.Refusal {
        RecordReader.Refusal(
            code: .tooLarge,
            message: "line \(line) has \(length) bytes, and a record may have \(Limits.observationBytes)",
            cut: RecordReader.Cut(length: length, sha256: hash.finalize().hexadecimal))
    }
}

extension UnsafeRawBufferPointer {
    /// Without its line end.
    var trimmed: UnsafeRawBufferPointer {
        var end = count
        while end > 0, self[end - 1] == 0x0A || self[end - 1] == 0x0D { end -= 1 }
        return UnsafeRawBufferPointer(rebasing: self[..<end])
    }
}
