import Glibc
import SluiceCore
import SluiceFiles
import SluiceState
import SystemPackage

/// To whom a state directory belongs. State of another cluster, application or topic is refused, never mixed in.
package struct StateIdentity: Sendable, Equatable {
    package var cluster: String
    package var application: String
    package var topic: String

    package init(cluster: String, application: String, topic: String) {
        self.cluster = cluster
        self.application = application
        self.topic = topic
    }

    var text: String { "cluster=\(cluster)\napplication=\(application)\ntopic=\(topic)\n" }
}

/// The state directory: what is stored of each partition, written by the partition's owner.
///
/// The directory is claimed for this process while the value lives; two processes never share one.
package final class StateDirectory: Sendable {
    package let path: String
    package let identity: StateIdentity
    private let lock: FileDescriptor
    /// Of all partitions of the process: the memory for what is read does not grow with their number.
    let cache = BlockCache(bytes: 64 << 20)

    /// Makes the directory if needed, claims it and checks to whom it belongs.
    ///
    /// - Throws: `file` when it cannot be written or another process holds it, `state-foreign` when it is another's.
    package init(_ path: String, identity: StateIdentity) throws {
        self.path = path
        self.identity = identity
        try Self.makeDirectories(path)
        lock = try Self.claim(path + "/lock")
        // Where this throws, `deinit` runs and gives the claim back.
        try Self.checkIdentity(path + "/identity", identity)
    }

    deinit { try? lock.close() }

    /// The stores of one worker's partitions.
    package func makeStores(_ durability: WriteDurability) -> RocksStores {
        RocksStores(directory: self, durability: durability)
    }

    func folder(_ partition: Int32) -> String { "\(path)/\(identity.topic)-\(partition)" }

    private static func makeDirectories(_ path: String) throws {
        var made = path.hasPrefix("/") ? "" : "."
        for part in path.split(separator: "/") {
            made += "/" + part
            guard unsafe mkdir(made, 0o755) != 0, errno != EEXIST else { continue }
            throw SluiceError(
                .file, "the state directory \(path) cannot be made", remedy: "make it writable or set state.directory",
                cause: Errno(rawValue: errno))
        }
    }

    /// Whether a state directory could be claimed as far as its place goes: made if needed, and writable.
    ///
    /// - Throws: `file`.
    package static func checkWritable(_ path: String) throws {
        try makeDirectories(path)
        guard unsafe access(path + "/.", W_OK | X_OK) == 0 else {
            throw SluiceError(
                .file, "the state directory cannot be written: \(path)",
                remedy: "make it writable or set state.directory", cause: Errno(rawValue: errno))
        }
    }

    private static func claim(_ path: String) throws -> FileDescriptor {
        do {
            let file = try FileDescriptor.open(
                FilePath(path), .readWrite, options: [.create, .closeOnExec],
                permissions: [.ownerReadWrite, .groupRead, .otherRead])
            guard flock(file.rawValue, LOCK_EX | LOCK_NB) == 0 else {
                try file.close()
                throw SluiceError(
                    .file, "another process uses the state directory \(FilePath(path).removingLastComponent())",
                    remedy: "stop it, or give each instance its own state.directory")
            }
            return file
        } catch let error as Errno {
            throw SluiceError(
                .file, "the state directory cannot be written: \(path)",
                remedy: "make it writable or set state.directory", cause: error)
        }
    }

    private static func checkIdentity(_ path: String, _ identity: StateIdentity) throws {
        if let bytes = try FileBytes.read(path, limit: 4_096) {
            let existing = String(decoding: bytes, as: UTF8.self)
            guard existing == identity.text else {
                func line(_ text: String) -> String { text.split(separator: "\n").joined(separator: ", ") }
                throw SluiceError(
                    .foreignState,
                    "the state directory belongs to another service (\(line(existing))), this one is "
                        + line(identity.text),
                    remedy: "set state.directory to another folder, or move \(path) and the files beside it away")
            }
        } else {
            try FileBytes.replace(path, with: Array(identity.text.utf8))
        }
    }
}
