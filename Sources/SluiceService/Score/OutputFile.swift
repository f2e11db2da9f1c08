import SluiceCore
import SystemPackage

/// Writes lines to a file or the standard output, gathered into large writes.
package struct OutputFile: ~Copyable {
    private static let gatheredBytes = 1 << 20

    private let path: String
    private let file: FileDescriptor
    private let ownsFile: Bool
    private var arena = ByteArena(capacity: OutputFile.gatheredBytes)

    /// - Throws: `file` when it cannot be written. `-` is the standard output.
    package init(_ path: String) throws {
        ownsFile = path != "-"
        self.path = ownsFile ? path : "stdout"
        do {
            file =
                ownsFile
                ? try FileDescriptor.open(
                    FilePath(path), .writeOnly, options: [.create, .truncate, .closeOnExec],
                    permissions: [.ownerReadWrite, .groupRead, .otherRead])
                : FileDescriptor.standardOutput
        } catch let error as Errno {
            throw SluiceError(.file, "\(path) cannot be written", cause: error)
        }
    }

    deinit { if ownsFile { try? file.close() } }

    package mutating func writeLine(_ bytes: UnsafeRawBufferPointer) throws {
        arena.append(bytes)
        arena.append(UInt8(ascii: "\n"))
        if arena.count >= Self.gatheredBytes { try flush() }
    }

    /// - Throws: `file`, with a full disk for instance.
    package mutating func flush() throws {
        do {
            try file.writeAll(arena.bytes)
        } catch let error as Errno {
            throw SluiceError(.file, "\(path) cannot be written", remedy: "is the disk full?", cause: error)
        }
        arena.removeAll()
    }
}
