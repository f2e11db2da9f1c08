internal import Glibc
internal import SluiceCore

/// Whole files, read and replaced.
enum FileBytes {
    static func read(_ path: String, limit: Int) throws(SluiceError) -> [UInt8] {
        let file = unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { throw failure("cannot open \(path)") }
        defer { close(file) }
        var status = stat()
        guard unsafe fstat(file, &status) == 0 else { throw failure("cannot inspect \(path)") }
        guard status.st_mode & S_IFMT == S_IFREG else { throw SluiceError(.file, "\(path) is not a regular file") }
        guard status.st_size <= limit else {
            throw .model("\(path) has \(status.st_size) bytes; the largest model has \(limit)")
        }
        var bytes = [UInt8](repeating: 0, count: Int(status.st_size))
        var done = 0
        while done < bytes.count {
            let count = unsafe bytes.withUnsafeMutableBytes {
                unsafe Glibc.read(file, $0.baseAddress! + done, $0.count - done)
            }
            if count < 0 && errno == EINTR { continue }
            guard count >= 0 else { throw failure("cannot read \(path)") }
            guard count > 0 else { throw SluiceError(.file, "\(path) became shorter while it was read") }
            done += count
        }
        return bytes
    }

    static func replace(_ path: String, with bytes: [UInt8]) throws(SluiceError) {
        let temporary = "\(path).\(getpid()).tmp"
        do throws(SluiceError) {
            try create(temporary, bytes)
            guard unsafe rename(temporary, path) == 0 else { throw failure("cannot put \(path) in place") }
        } catch {
            unsafe unlink(temporary)
            throw error
        }
        try synchronizeDirectory(of: path)
    }

    private static func create(_ path: String, _ bytes: [UInt8]) throws(SluiceError) {
        let file = unsafe open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
        guard file >= 0 else { throw failure("cannot create \(path)") }
        defer { close(file) }
        var done = 0
        while done < bytes.count {
            let count = unsafe bytes.withUnsafeBytes {
                unsafe Glibc.write(file, $0.baseAddress! + done, $0.count - done)
            }
            if count < 0 && errno == EINTR { continue }
            guard count >= 0 else { throw failure("cannot write \(path)") }
            done += count
        }
        guard fsync(file) == 0 else { throw failure("cannot write \(path) to disk") }
    }

    /// The rename is on disk once its directory is.
    private static func synchronizeDirectory(of path: String) throws(SluiceError) {
        let parent = path.lastIndex(of: "/").map { String(path[...$0]) } ?? "."
        let directory = unsafe open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard directory >= 0 else { throw failure("cannot open \(parent)") }
        defer { close(directory) }
        guard fsync(directory) == 0 else { throw failure("cannot write \(parent) to disk") }
    }

    private static func failure(_ what: String) -> SluiceError {
        let reason = unsafe String(cString: strerror(errno))
        return SluiceError(.file, "\(what): \(reason)")
    }
}
