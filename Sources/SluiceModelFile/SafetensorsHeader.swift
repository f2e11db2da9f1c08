internal import SluiceCore

/// The head of a safetensors file: a little-endian `UInt64` length N, then N bytes of JSON (spaces may pad its end),
/// then the tensors' bytes.
///
/// The JSON maps each tensor's name to `{"dtype", "shape", "data_offsets": [begin, end]}`, offsets counting from the
/// end of the header, and `__metadata__` to an object of strings. Tensors cover the rest of the file without hole or
/// overlap.
struct SafetensorsHeader {
    struct Entry {
        let name: String
        let dtype: String
        let shape: [Int]
        /// Bytes from the end of the header.
        let offsets: Range<Int>
    }

    static let lengthBytes = 8

    let metadata: [String: String]
    /// In order of their offsets.
    let entries: [Entry]
    /// Position in the file of the first tensor's first byte.
    let dataStart: Int

    /// Reads the head of `file` and checks that it describes exactly the bytes that follow it.
    ///
    /// - Throws: `SluiceError(.invalidModel)` whose message names the tensor or key at fault.
    init(_ file: [UInt8]) throws(SluiceError) {
        guard file.count >= Self.lengthBytes else {
            throw .model("it has \(file.count) bytes, too few for a safetensors file")
        }
        var length: UInt64 = 0
        for index in (0..<Self.lengthBytes).reversed() { length = length << 8 | UInt64(file[index]) }
        guard length <= UInt64(Limits.modelHeaderBytes) else {
            throw .model(
                "its header claims \(length) bytes, more than the \(Limits.modelHeaderBytes) allowed: is it one?")
        }
        let dataStart = Self.lengthBytes + Int(length)
        guard dataStart <= file.count else {
            throw .model("it ends inside its header: \(file.count) bytes of at least \(dataStart)")
        }
        var scanner = HeaderScanner(bytes: file, range: Self.lengthBytes..<dataStart)
        let content = try scanner.header()
        self.dataStart = dataStart
        self.metadata = content.metadata
        self.entries = content.entries.sorted {
            ($0.offsets.lowerBound, $0.offsets.upperBound) < ($1.offsets.lowerBound, $1.offsets.upperBound)
        }
        try Self.checkCoverage(entries, of: file.count - dataStart)
    }

    private static func checkCoverage(_ entries: [Entry], of count: Int) throws(SluiceError) {
        var position = 0
        for entry in entries {
            if entry.offsets.lowerBound > position {
                throw .model(
                    "there is a hole of \(entry.offsets.lowerBound - position) bytes before tensor \(entry.name)")
            }
            if entry.offsets.lowerBound < position {
                throw .model("tensor \(entry.name) overlaps the tensor before it")
            }
            guard entry.offsets.upperBound <= count else {
                throw .model(
                    "tensor \(entry.name) ends at byte \(entry.offsets.upperBound) of \(count): the file is truncated")
            }
            position = entry.offsets.upperBound
        }
        guard position == count else { throw .model("\(count - position) bytes follow the last tensor") }
    }
}

extension SluiceError {
    static func model(_ message: String, remedy: String? = nil) -> SluiceError {
        SluiceError(.invalidModel, message, remedy: remedy)
    }
}
