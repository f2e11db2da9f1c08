internal import Foundation
internal import SluiceCore
internal import SluiceFiles
internal import SluiceTraining

/// The finished trials of a search in the folder of its run, JSON, replaced as a whole after each.
struct TuningFile {
    let folder: String
    private var path: String { folder + "/tuning.json" }

    /// - Returns: nil where there is none.
    /// - Throws: `file` where it cannot be read, `checkpoint-invalid` where it is damaged.
    func read() throws -> TuningRecord? {
        guard let bytes = try FileBytes.read(path, limit: Self.largest) else { return nil }
        do {
            return try JSONDecoder().decode(TuningRecord.self, from: Data(bytes))
        } catch {
            throw SluiceError(
                .invalidCheckpoint, "the search \(path) is damaged, or of another version",
                remedy: "begin anew, in another folder", cause: error)
        }
    }

    /// - Throws: `file` where it cannot be written; the one before is still there then.
    func write(_ record: TuningRecord) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
        do {
            try FileBytes.replace(path, with: Array(try encoder.encode(record)))
        } catch let error as SluiceError {
            throw SluiceError(
                error.code, error.message, remedy: "make room, then go on with --resume \(folder) and the same --tune",
                retry: error.retry, cause: error.cause)
        }
    }

    /// Some hundred bytes for each row of a search of the most trials, in two rungs and a half.
    private static var largest: Int { 1 << 20 }
}
