internal import Foundation
internal import SluiceCore
internal import SluiceFiles
internal import SluiceTraining

/// The checkpoint in the folder of a run of training, replaced as a whole at the end of each epoch.
///
/// Little-endian: the length of a JSON (8 bytes), that JSON, the float32 arrays, XXH64 of all before it.
struct CheckpointFile {
    let folder: String
    private var path: String { folder + "/checkpoint" }

    var isThere: Bool { FileManager.default.fileExists(atPath: path) }

    /// - Throws: `file` where there is none or it cannot be read, `checkpoint-invalid` where it is damaged.
    func read() throws -> TrainingCheckpoint {
        guard let bytes = try FileBytes.read(path, limit: Self.largest) else {
            throw SluiceError(
                .file, "\(folder) holds no checkpoint",
                remedy: "name the folder of a run that was interrupted: one that has ended keeps none")
        }
        guard let checkpoint = Self.decode(bytes) else {
            throw SluiceError(
                .invalidCheckpoint, "the checkpoint \(path) is damaged, or of another version",
                remedy: "begin anew, in another folder")
        }
        return checkpoint
    }

    /// - Throws: `file` where it cannot be written; the one before is still there then.
    func write(_ checkpoint: TrainingCheckpoint) throws {
        do {
            try FileBytes.replace(path, with: try Self.encode(checkpoint))
        } catch let error as SluiceError {
            let kept = checkpoint.epochs - 1
            let next = kept > 0 ? "go on after epoch \(kept) with --resume \(folder)" : "begin again"
            throw SluiceError(
                error.code, error.message, remedy: "make room, then \(next)", retry: error.retry, cause: error.cause)
        }
    }

    /// Of a run that is over nothing is left to be resumed; one that cannot be removed does no harm.
    func remove() { unlink(path) }

    static func encode(_ checkpoint: TrainingCheckpoint) throws -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        encoder.nonConformingFloatEncodingStrategy = .convertToString(
            positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
        let json = try encoder.encode(checkpoint.progress)
        var bytes = withUnsafeBytes(of: UInt64(json.count).littleEndian, Array.init)
        bytes += json
        for value in checkpoint.values { withUnsafeBytes(of: value.bitPattern.littleEndian) { bytes += $0 } }
        let checksum = bytes.withUnsafeBytes { xxHash64($0) }
        withUnsafeBytes(of: checksum.littleEndian) { bytes += $0 }
        return bytes
    }

    /// nil for bytes that no checkpoint is.
    static func decode(_ bytes: [UInt8]) -> TrainingCheckpoint? {
        let end = bytes.count - 8
        guard end >= 8, word(bytes, end) == bytes[..<end].withUnsafeBytes({ xxHash64($0) }) else { return nil }
        let length = word(bytes, 0)
        guard length <= UInt64(end - 8), (end - 8 - Int(length)) % 4 == 0 else { return nil }
        let first = 8 + Int(length)
        let decoder = JSONDecoder()
        decoder.nonConformingFloatDecodingStrategy = .convertFromString(
            positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
        guard
            let progress = try? decoder.decode(TrainingCheckpoint.Progress.self, from: Data(bytes[8..<first]))
        else { return nil }
        let values = stride(from: first, to: end, by: 4).map { place in
            Float(bitPattern: (0..<4).reduce(0) { $0 | UInt32(bytes[place + $1]) << (8 * $1) })
        }
        return TrainingCheckpoint(progress: progress, values: values)
    }

    private static func word(_ bytes: [UInt8], _ place: Int) -> UInt64 {
        (0..<8).reduce(0) { $0 | UInt64(bytes[place + $1]) << (8 * $1) }
    }

    /// Four times what a model may have, and some history.
    private static var largest: Int { 5 * Limits.modelBytes }
}

extension SluiceError.Code {
    static let invalidCheckpoint = SluiceError.Code("checkpoint-invalid")
}
