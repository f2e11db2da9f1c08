internal import Foundation
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
        let parent = URL(filePath: path).deletingLastPathComponent().path
        if files.fileExists(atPath: path, isDirectory: &isDirectory), isDirectory.boolValue {
            throw SluiceError(.file, "\(path) is a folder", remedy: "name a file with \(flag)")
        }
        guard files.fileExists(atPath: parent, isDirectory: &isDirectory), isDirectory.boolValue,
            files.isWritableFile(atPath: parent)
        else {
            throw SluiceError(
                .file, "\(path) cannot be written", remedy: "does the folder exist, and may it be written to?")
        }
    }
}
