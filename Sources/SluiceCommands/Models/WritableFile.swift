internal import ArgumentParser
internal import Foundation
internal import Glibc
internal import SluiceCore

/// Files that are written when the work is done.
enum WritableFile {
    /// What cannot be written is told before there is work to be lost.
    ///
    /// - Parameter flag: what names the file.
    /// - Throws: `file`.
    static func check(_ path: String, flag: String) throws {
        var isDirectory: ObjCBool = false
        let files = FileManager.default
        guard !path.isEmpty else { throw ValidationError("\(flag) names no file.") }
        var status = stat()
        // A pipe, for instance, is written to where it stands.
        if stat(path, &status) == 0, ![S_IFREG, S_IFDIR].contains(status.st_mode & S_IFMT), access(path, W_OK) == 0 {
            return
        }
        let parent = URL(filePath: path).deletingLastPathComponent().path
        if files.fileExists(atPath: path, isDirectory: &isDirectory), isDirectory.boolValue {
            throw SluiceError(.file, "\(path) is a folder", remedy: "name a file with \(flag)")
        }
        guard files.fileExists(atPath: parent, isDirectory: &isDirectory), isDirectory.boolValue,
            files.isWritableFile(atPath: parent), canMakeFile(in: parent)
        else {
            throw SluiceError(
                .file, "\(path) cannot be written", remedy: "does the folder exist, and may it be written to?")
        }
    }

    /// Folders that take no file, of /proc for instance, say that they may be written to.
    private static func canMakeFile(in folder: String) -> Bool {
        var name = Array((folder + "/.sluice-XXXXXX").utf8CString)
        let descriptor = mkstemp(&name)
        guard descriptor >= 0 else { return false }
        unlink(name)
        close(descriptor)
        return true
    }
}
