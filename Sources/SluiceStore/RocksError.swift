internal import CRocksDB
internal import SluiceCore

/// What RocksDB reported.
struct RocksError: Error, CustomStringConvertible {
    let description: String

    init(_ text: String) { description = text }

    /// The database cannot be what was written: damaged, of another make, or a file of it is away or no file. All else
    /// that RocksDB reports is the disk's.
    private var isOfState: Bool {
        // A write that a full disk stalls has it behind "Result incomplete".
        guard description.contains("IO error: "), !description.hasPrefix("Corruption") else { return true }
        return ["No such file or directory", "Is a directory", "Not a directory"].contains { description.contains($0) }
    }

    private var isOfLock: Bool { description.contains("lock hold by") || description.contains("While lock file") }

    func failure(of path: String) -> SluiceError {
        if isOfLock {
            // Mostly a worker of this process that has been expelled and does not know it yet.
            return SluiceError(
                .file, "the stored state at \(path) is in use",
                remedy: "a worker that has lost the partition lets go of it at its next poll; another process must be "
                    + "stopped, or given a state.directory of its own", retry: .later, cause: self)
        }
        if isOfState { return Self.invalid(path, self) }
        return SluiceError(
            .file, "the stored state at \(path) cannot be read or written", remedy: "is the disk full?", retry: .later,
            cause: self)
    }

    static func invalid(_ path: String, _ cause: RocksError) -> SluiceError {
        SluiceError(
            .invalidState, "the stored state at \(path) is damaged", remedy: "it is rebuilt from the log", cause: cause)
    }
}

/// Calls the C API, whose last parameter is where it leaves the text of an error.
///
/// - Throws: `state-invalid` where what is stored is damaged, `file`, to be tried again, where the disk fails or
/// somebody else holds it.
func withRocksError<Result>(
    _ path: String, _ body: (UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>) -> Result
) throws -> Result {
    var text: UnsafeMutablePointer<CChar>?
    let result = unsafe body(&text)
    guard let text = unsafe text else { return result }
    defer { unsafe rocksdb_free(text) }
    throw unsafe RocksError(String(cString: text)).failure(of: path)
}
