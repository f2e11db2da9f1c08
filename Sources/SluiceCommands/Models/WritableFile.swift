internal import ArgumentParser
internal import Foundation
internal import Glibc
internal import SluiceCore
internal import SluiceFiles

/// Files that are written when the work is done.
enum WritableFile {
    /// What cannot be written is told before there is work to be lost.
    ///
    /// - Parameter flag: what names the file.
    /// - Throws: `file`.
    static func check(_ path: String, flag: String) throws {
        guard !path.isEmpty else { throw ValidationError("\(flag) names no file.") }
        var status = stat()
        let kind = stat(path, &status) == 0 ? status.st_mode & S_IFMT : S_IFREG
        if kind == S_IFDIR { throw SluiceError(.file, "\(path) is a folder", remedy: "name a file with \(flag)") }
        // A file is replaced by one beside it; a pipe, for instance, is written to where it stands. To ask for
        // permission is not enough: folders of /proc give it, and take no file.
        let folder = URL(filePath: path).resolvingSymlinksInPath().deletingLastPathComponent().path
        let takes = kind == S_IFREG ? (try? ScratchFile(in: folder)) != nil : access(path, W_OK) == 0
        guard takes else {
            throw SluiceError(
                .file, "\(path) cannot be written", remedy: "does the folder exist, and may it be written to?")
        }
    }
}
