import Glibc
import SluiceCore
import SystemPackage

/// Whole files: read, replaced atomically, mapped.
enum FileBytes {
    /// The file's text; nil if there is no such file.
    static func readText(_ path: String) throws -> String? {
        do {
            let file = try FileDescriptor.open(FilePath(path), .readOnly, options: .closeOnExec)
            return try file.closeAfter {
                var bytes = [UInt8](repeating: 0, count: 4_096)
                let count = try bytes.withUnsafeMutableBytes { try file.read(into: $0) }
                return String(decoding: bytes[..<count], as: UTF8.self)
            }
        } catch Errno.noSuchFileOrDirectory {
            return nil
        } catch let error as Errno {
            throw SluiceError(.file, "\(path) cannot be read", cause: error)
        }
    }

    /// Writes beside the file, makes it durable, then takes its place: a crash leaves the old content or the new one.
    static func replace(_ path: String, with bytes: [UInt8]) throws {
        try bytes.withUnsafeBytes { try replace(path, with: [$0]) }
    }

    static func replace(_ path: String, with parts: [UnsafeRawBufferPointer]) throws {
        let temporary = path + ".new"
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
            throw SluiceError(
                .file, "\(path) cannot be written", remedy: "is the disk full?", retry: .later, cause: error)
        }
    }

    private static func synchroniseDirectory(of path: String) throws {
        let folder = FilePath(path).removingLastComponent()
        let descriptor = try FileDescriptor.open(folder, .readOnly, options: [.directory, .closeOnExec])
        try descriptor.closeAfter {
            guard fsync(descriptor.rawValue) == 0 else { throw Errno(rawValue: errno) }
        }
    }

    /// Maps a file and lends its bytes; nil if there is no such file.
    static func withMapped<Result>(
        _ path: String, _ body: (UnsafeRawBufferPointer) throws -> Result
    ) throws -> Result? {
        let file: FileDescriptor
        do {
            file = try FileDescriptor.open(FilePath(path), .readOnly, options: .closeOnExec)
        } catch Errno.noSuchFileOrDirectory {
            return nil
        } catch let error as Errno {
            throw SluiceError(.file, "\(path) cannot be read", cause: error)
        }
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
}
