internal import Foundation
internal import SluiceCore
internal import SluiceFiles

/// Where a training leaves its report: a folder that is there with all its files, or not at all.
struct RunFolder {
    private static let namesMaximum = 1_000

    /// As it will be, unless another run takes the name first.
    let path: String
    let started: Timestamp
    private let isGiven: Bool

    /// Checks that it can be made; makes nothing yet.
    ///
    /// - Parameters:
    ///   - given: its name, or nil for one after the time.
    ///   - output: the model file.
    /// - Throws: `file`.
    init(_ given: String?, beside output: String, started: Timestamp) throws {
        self.started = started
        isGiven = given != nil
        let parent = URL(filePath: output).deletingLastPathComponent().relativePath
        let name = Timestamp.text(started.milliseconds / 1_000 * 1_000).replacingOccurrences(of: ":", with: "-")
        path = given ?? (parent == "." ? "" : parent + "/") + "runs/" + name
        let files = FileManager.default
        if isGiven, files.fileExists(atPath: path) {
            throw SluiceError(.file, "\(path) is there already", remedy: "name a new folder with --run")
        }
        // The nearest folder that is there.
        var ancestor = URL(filePath: path).deletingLastPathComponent()
        while !files.fileExists(atPath: ancestor.path), ancestor.pathComponents.count > 1 {
            ancestor.deleteLastPathComponent()
        }
        var isDirectory: ObjCBool = false
        guard files.fileExists(atPath: ancestor.path, isDirectory: &isDirectory), isDirectory.boolValue,
            files.isWritableFile(atPath: ancestor.path)
        else {
            throw SluiceError(
                .file, "the run folder \(path) cannot be made", remedy: "name another with --run")
        }
    }

    /// Writes the files into a folder beside it, which then takes its name.
    ///
    /// - Returns: its path.
    /// - Throws: `file`; nothing is left behind then.
    func write(_ content: [(name: String, text: String)]) throws -> String {
        let files = FileManager.default
        let temporary = "\(path).\(getpid()).new"
        do {
            try files.createDirectory(atPath: temporary, withIntermediateDirectories: true)
            for file in content { try FileBytes.replace(temporary + "/" + file.name, with: Array(file.text.utf8)) }
            for number in 1...Self.namesMaximum {
                let name = number == 1 ? path : "\(path)-\(number)"
                // Only in place of nothing, or of an empty folder.
                if rename(temporary, name) == 0 { return name }
                guard !isGiven, [EEXIST, ENOTEMPTY, ENOTDIR].contains(errno) else { break }
            }
            throw CocoaError(.fileWriteFileExists)
        } catch {
            try? files.removeItem(atPath: temporary)
            throw SluiceError(
                .file, "the run folder \(path) cannot be written", remedy: "is the disk full, or is the folder there?",
                retry: .later, cause: (error as? SluiceError)?.cause ?? error)
        }
    }
}

extension Timestamp {
    static var now: Timestamp { Timestamp(EpochMilliseconds(Date().timeIntervalSince1970 * 1_000)) }
}
