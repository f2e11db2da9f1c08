internal import Glibc
package import SluiceCore
internal import SystemPackage

/// A file of tokens that is looked at again and again, and read when it has changed. A look at an unchanged file costs
/// one system call.
package struct TokenWatch: Sendable {
    package enum Sight: Sendable {
        case unchanged
        /// What it holds now; nil if it is not there.
        case changed(TokenFile?)
        /// It cannot be read, or is broken.
        case broken(SluiceError)
    }

    /// Changes with every edit: a file that takes another's place has another number, one that is written to another
    /// time.
    private struct Stamp: Equatable {
        var device: UInt
        var number: UInt
        var size: Int
        var modified: [Int]

        init?(_ path: String) {
            var status = stat()
            guard stat(path, &status) == 0 else { return nil }
            device = UInt(status.st_dev)
            number = UInt(status.st_ino)
            size = Int(status.st_size)
            modified = [
                status.st_mtim.tv_sec, status.st_mtim.tv_nsec, status.st_ctim.tv_sec, status.st_ctim.tv_nsec,
            ].map { Int($0) }
        }
    }

    package let path: String
    /// Of the last look; the outer nil before the first.
    private var stamp: Stamp??

    package init(_ path: String) { self.path = path }

    package mutating func look() -> Sight {
        // Before reading: a change in between is seen by the next look.
        let now = Stamp(path)
        guard stamp != .some(now) else { return .unchanged }
        stamp = .some(now)
        do {
            return .changed(try TokenFile.read(path))
        } catch let error as SluiceError {
            return .broken(error)
        } catch {
            return .broken(SluiceError(.file, "\(path) cannot be read", cause: error))
        }
    }
}
