import Glibc
import SluiceCore
import SystemPackage

/// Whole files: read, replaced atomically, mapped. All throw `file`, naming the path.
package enum FileBytes {
    /// The file's bytes; nil if there is no such file. Refuses what has more than `limit` bytes or is no regular file.
    package static func read(_ path: String, limit: Int) throws -> [UInt8]? {
        guard let file = try open(path) else { return nil }
        defer { try? file.close() }
        var status = stat()
        guard fstat(file.rawValue, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            throw SluiceError(.file, "\(path) is not a regular file")
        }
        guard status.st_size <= limit else {
            throw SluiceError(.file, "\(path) has \(status.st_size) bytes, and may have \(limit)")
        }
        var bytes = [UInt8](repeating: 0, count: status.st_size)
        do {
            var done = 0
            while done < bytes.count {
                let count = try bytes.withUnsafeMutableBytes { bytes in
                    try file.read(into: UnsafeMutableRawBufferPointer(rebasing: bytes[done...]))
                }
                guard count > 0 else { throw SluiceError(.file, "\(path) became shorter while it was read") }
                done += count
            }
        } catch let error as Errno {
            throw unreadable(path, error)
        }
        return bytes
    }

    /// Writes beside the file, makes it durable, then takes its place: a crash leaves the old content or the new one.
    /// Symbolic links are followed; what is no regular file, such as a pipe or /dev/stdout, is written to.
    ///
    /// - Parameter suffix: of the file beside it. Where several processes may write the same path, each needs its own.
    package static func replace(
        _ path: String, with parts: [UnsafeRawBufferPointer], suffix: String = ".new"
    ) throws {
        var status = stat()
        let exists = stat(path, &status) == 0
        if exists && status.st_mode & S_IFMT != S_IFREG { return try write(parts, into: path) }
        let path = exists ? try resolved(path) : path
        let temporary = path + suffix
        do {
            let file = try FileDescriptor.open(
                FilePath(temporary), .writeOnly, options: [.create, .truncate, .closeOnExec],
                permissions: [.ownerReadWrite, .groupRead, .otherRead])
            try file.closeAfter {
                for part in parts { try file.writeAll(part) }
                guard fsync(file.rawValue) == 0 else { throw Errno(rawValue: errno) }
            }
            guard rename(temporary, path) == 0 else { throw Errno(rawValue: errno) }
            try synchroniseDirectory(of: path)
        } catch let error as Errno {
            unlink(temporary)
            throw unwritable(path, error)
        }
    }

    package static func replace(_ path: String, with bytes: [UInt8], suffix: String = ".new") throws {
        try bytes.withUnsafeBytes { try replace(path, with: [$0], suffix: suffix) }
    }

    /// The rename is on disk once its directory is.
    private static func synchroniseDirectory(of path: String) throws {
        let folder = FilePath(path).removingLastComponent()
        let descriptor = try FileDescriptor.open(
            folder.isEmpty ? "." : folder, .readOnly, options: [.directory, .closeOnExec])
        try descriptor.closeAfter {
            guard fsync(descriptor.rawValue) == 0 else { throw Errno(rawValue: errno) }
        }
    }

    /// Maps a file and lends its bytes; nil if there is no such file.
    package static func withMapped<Result>(
        _ path: String, _ body: (UnsafeRawBufferPointer) throws -> Result
    ) throws -> Result? {
        guard let file = try open(path) else { return nil }
        defer { try? file.close() }
        guard let length = try? Int(file.seek(offset: 0, from: .end)) else {
            throw SluiceError(.file, "\(path) cannot be read", remedy: "is it a file?")
        }
        guard length > 0 else { return try body(UnsafeRawBufferPointer(start: nil, count: 0)) }
        guard let mapped = mmap(nil, length, PROT_READ, MAP_PRIVATE, file.rawValue, 0), mapped != MAP_FAILED else {
            throw SluiceError(.file, "\(path) cannot be mapped", cause: Errno(rawValue: errno))
        }
        defer { munmap(mapped, length) }
        return try body(UnsafeRawBufferPointer(start: mapped, count: length))
    }

    private static func open(_ path: String) throws -> FileDescriptor? {
        do {
            return try FileDescriptor.open(FilePath(path), .readOnly, options: .closeOnExec)
        } catch Errno.noSuchFileOrDirectory {
            return nil
        } catch let error as Errno {
            throw unreadable(path, error)
        }
    }

    private static func write(_ parts: [UnsafeRawBufferPointer], into path: String) throws {
        do {
            let file = try FileDescriptor.open(FilePath(path), .writeOnly, options: .closeOnExec)
            try file.closeAfter { for part in parts { try file.writeAll(part) } }
        } catch let error as Errno {
            throw unwritable(path, error)
        }
    }

    /// The path without symbolic links.
    private static func resolved(_ path: String) throws -> String {
        guard let real = realpath(path, nil) else { throw unwritable(path, Errno(rawValue: errno)) }
        defer { Glibc.free(real) }
        return String(cString: real)
    }

    private static func unwritable(_ path: String, _ error: Errno) -> SluiceError {
        let isFull = error == .noSpace || error == .diskQuotaExceeded
        return SluiceError(
            .file, "\(path) cannot be written",
            remedy: isFull ? "make room" : "does the folder exist, and may it be written to?", retry: .later,
            cause: error)
    }

    private static func unreadable(_ path: String, _ error: Errno) -> SluiceError {
        SluiceError(.file, "\(path) cannot be read", cause: error)
    }
}
