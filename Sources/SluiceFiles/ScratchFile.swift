import Glibc
import SluiceCore
import SystemPackage

/// A file without a name, for what memory does not hold: it is gone with its owner, or with the process, however that
/// ends. All errors are `file` and name the folder.
///
/// - Safety: `@unchecked`: only the owner that fills it writes to it, and hands it on when it is full.
package final class ScratchFile: @unchecked Sendable {
    private let folder: String
    private let descriptor: CInt
    package private(set) var size = 0
    private var mapping: UnsafeMutableRawBufferPointer?

    package init(in folder: String) throws {
        self.folder = folder
        var template = Array((folder + "/.sluice-XXXXXX").utf8CString)
        descriptor = template.withUnsafeMutableBufferPointer { mkstemp($0.baseAddress.unsafelyUnwrapped) }
        guard descriptor >= 0 else { throw Self.failure(folder, errno) }
        _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
        _ = template.withUnsafeBufferPointer { unlink($0.baseAddress.unsafelyUnwrapped) }
    }

    deinit {
        if let mapping { munmap(mapping.baseAddress, mapping.count) }
        close(descriptor)
    }

    /// Writes at the end.
    package func append(_ bytes: UnsafeRawBufferPointer) throws {
        var done = 0
        while done < bytes.count {
            let count = pwrite(descriptor, bytes.baseAddress.unsafelyUnwrapped + done, bytes.count - done, size)
            guard count > 0 || errno == EINTR else { throw Self.failure(folder, errno) }
            done += max(0, count)
            size += max(0, count)
        }
    }

    /// Reads what was written at `offset`, as much as there is room for.
    package func read(at offset: Int, into bytes: UnsafeMutableRawBufferPointer) throws {
        var done = 0
        while done < bytes.count {
            let count = pread(
                descriptor, bytes.baseAddress.unsafelyUnwrapped + done, bytes.count - done, offset + done)
            guard count > 0 || (count < 0 && errno == EINTR) else { throw Self.failure(folder, errno) }
            done += max(0, count)
        }
    }

    /// Makes it of so many bytes, all on disk, and maps them. What is written to them is the file's; they live as long
    /// as the file.
    package func map(_ bytes: Int) throws -> UnsafeMutableRawBufferPointer {
        precondition(mapping == nil && bytes > 0, "mapped once")
        // Room that is missing is an error here, and not the end of the process at the first write that finds none.
        let code = posix_fallocate(descriptor, 0, bytes)
        guard code == 0 else { throw Self.failure(folder, code) }
        guard let memory = mmap(nil, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0), memory != MAP_FAILED
        else { throw Self.failure(folder, errno) }
        size = bytes
        let mapping = UnsafeMutableRawBufferPointer(start: memory, count: bytes)
        self.mapping = mapping
        return mapping
    }

    private static func failure(_ folder: String, _ code: CInt) -> SluiceError {
        SluiceError(
            .file, "no file for what memory does not hold can be written in \(folder.isEmpty ? "." : folder)",
            remedy: code == ENOSPC ? "the disk is full: make room" : "may it be written to?", retry: .later,
            cause: Errno(rawValue: code))
    }
}
