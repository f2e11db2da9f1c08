internal import Foundation
internal import SluiceCore
internal import SluiceFiles
internal import SluiceTraining

/// The finished trials of a search in the folder of its run, JSON, replaced as a whole after each.
struct TuningFile {
    let folder: String
    private var path: String { folder + "/tuning.json" }

    init(folder: String) { self.folder = folder }

    /// For a run that begins.
    ///
    /// - Throws: `file` where the folder holds the search of another run.
    func checkNew() throws {
        guard !FileManager.default.fileExists(atPath: path) else {
            throw SluiceError(
                .file, "\(folder) holds the search of a run already",
                remedy: "go on with it by --resume \(folder), or name another folder")
        }
    }

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
        try FileBytes.replace(path, with: Array(try encoder.encode(record)))
    }

    /// Some hundred bytes for each row of a search of the most trials, in two rungs and a half.
    private static var largest: Int { 1 << 20 }
}
