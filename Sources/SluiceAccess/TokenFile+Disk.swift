internal import Foundation
internal import Glibc
internal import SluiceCore
internal import SystemPackage

extension TokenFile {
    /// Reads a file; nil if there is no such file.
    ///
    /// - Throws: `file` if it cannot be read, `tokens` with the line if it is broken.
    package static func read(_ path: String) throws -> TokenFile? {
        do {
            let file = try FileDescriptor.open(FilePath(path), .readOnly, options: .closeOnExec)
            guard let text = try file.closeAfter({ try text(of: file) }) else {
                throw SluiceError(.tokens, "\(path) is not a file of access tokens")
            }
            return try TokenFile(text: text, name: path)
        } catch Errno.noSuchFileOrDirectory {
            return nil
        } catch let error as Errno {
            throw SluiceError(.file, "\(path) cannot be read", cause: error)
        }
    }

    /// Nil for what cannot be such a file: too large, or no text.
    private static func text(of file: FileDescriptor) throws -> String? {
        var bytes: [UInt8] = []
        try withUnsafeTemporaryAllocation(byteCount: 1 << 16, alignment: 1) { buffer in
            while bytes.count <= Limits.tokenFileBytes {
                let count = try file.read(into: buffer)
                if count == 0 { break }
                bytes += buffer[..<count]
            }
        }
        return bytes.count > Limits.tokenFileBytes ? nil : String(validating: bytes, as: UTF8.self)
    }

    /// Changes a file, or makes it: one editor at a time, readers see the old content or the new one, mode 0600.
    ///
    /// - Throws: what `body` throws, and then the file is as it was; `file` and `tokens` as from `read`.
    package static func edit<Result>(_ path: String, _ body: (inout TokenFile) throws -> Result) throws -> Result {
        // What takes a link's place would leave the file it stands for unchanged.
        let real = URL(filePath: path).resolvingSymlinksInPath().path(percentEncoded: false)
        do {
            // Beside the file, since the file itself is replaced; it stays, since removing it would race.
            let lock = try FileDescriptor.open(
                FilePath(real + ".lock"), .readWrite, options: [.create, .closeOnExec],
                permissions: [.ownerReadWrite])
            return try lock.closeAfter {
                while flock(lock.rawValue, LOCK_EX) != 0 {
                    guard errno == EINTR else { throw Errno(rawValue: errno) }
                }
                var file = try read(path) ?? TokenFile()
                let result = try body(&file)
                try replace(real, with: file.text)
                return result
            }
        } catch let error as Errno {
            throw SluiceError(
                .file, "\(path) cannot be written", remedy: "does the folder exist, and may it be written to?",
                cause: error)
        }
    }

    private static func replace(_ path: String, with text: String) throws {
        let temporary = path + ".new"
        unlink(temporary)
        let file = try FileDescriptor.open(
            FilePath(temporary), .writeOnly, options: [.create, .exclusiveCreate, .closeOnExec],
            permissions: [.ownerReadWrite])
        do {
            try file.closeAfter {
                // Root edits for the service's user, who must be able to read it then.
                var existing = stat()
                if stat(path, &existing) == 0 { _ = fchown(file.rawValue, existing.st_uid, existing.st_gid) }
                try file.writeAll(text.utf8)
                guard fsync(file.rawValue) == 0 else { throw Errno(rawValue: errno) }
            }
            guard rename(temporary, path) == 0 else { throw Errno(rawValue: errno) }
        } catch {
            unlink(temporary)
            throw error
        }
        let folder = try FileDescriptor.open(
            FilePath(path).removingLastComponent(), .readOnly, options: [.directory, .closeOnExec])
        try folder.closeAfter {
            guard fsync(folder.rawValue) == 0 else { throw Errno(rawValue: errno) }
        }
    }
}
