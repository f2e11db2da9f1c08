internal import Glibc
internal import SluiceCore
internal import Synchronization

/// Stdout: once it has refused something it is given nothing more, and the command fails, whatever else it did.
final class StandardOutput: Sendable {
    private let refused = Mutex<CInt?>(nil)
    private let descriptor: CInt

    init(_ descriptor: CInt = STDOUT_FILENO) { self.descriptor = descriptor }

    /// Why the text is not all there: a full disk, for instance. A pipe that nobody reads ends the process by SIGPIPE.
    var failure: SluiceError? {
        refused.withLock { $0 }.map {
            SluiceError(
                .file, "stdout cannot be written: \(String(cString: strerror($0)))",
                remedy: $0 == ENOSPC ? "is the disk full?" : nil)
        }
    }

    func write(_ bytes: [UInt8]) {
        refused.withLock { refused in
            var done = 0
            while refused == nil && done < bytes.count {
                let count = bytes[done...].withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
                if count >= 0 { done += count } else { refused = Self.isOver(errno, descriptor) ? errno : nil }
            }
        }
    }

    /// Whether to give up; a terminal or pipe that its other holder made non-blocking is waited for.
    private static func isOver(_ code: CInt, _ descriptor: CInt) -> Bool {
        if code == EAGAIN {
            var waiting = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
            return poll(&waiting, 1, -1) < 0 && errno != EINTR
        }
        return code != EINTR
    }

    /// Takes the places of the standard descriptors that are closed: a file that is opened later would get one of them,
    /// and with it what is written to stdout. Neither can be read or written.
    static func reserveDescriptors() {
        for descriptor in 0...STDERR_FILENO where fcntl(descriptor, F_GETFD) < 0 {
            _ = open("/dev/null", descriptor == STDIN_FILENO ? O_WRONLY : O_RDONLY)
        }
    }
}
