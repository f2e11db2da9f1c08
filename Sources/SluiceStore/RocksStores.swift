import Glibc
import SluiceCore
package import SluiceState
import Synchronization
import SystemPackage

/// How far a write is on disk when it returns.
package enum WriteDurability: Sendable {
    /// It is, before it returns: for a store that is the truth.
    case synced
    /// It is in memory, and after a crash the store stands at an earlier write, by `RocksStore.flushInterval` at most
    /// as its positions tell the time: for a store that is a cache of the changelog.
    case cached
}

/// The stores of partitions in a state directory: for each a RocksDB in `<topic>-<partition>/`, as
/// `schemas/snapshot.md` specifies.
package final class RocksStores: PartitionStores {
    private let directory: StateDirectory
    private let durability: WriteDurability
    private let options: RocksOptions
    private let writes = WriteQueue()

    init(directory: StateDirectory, durability: WriteDurability, writeBufferBytes: Int = 8 << 20) {
        self.directory = directory
        self.durability = durability
        options = RocksOptions(cache: directory.cache, writeBufferBytes: writeBufferBytes)
    }

    package func open(_ partition: Int32) throws -> any PartitionStore {
        try RocksStore(partition, of: directory, options, durability, writes)
    }

    package func onWritten(_ body: @escaping @Sendable () -> Void) { writes.written.withLock { $0 = body } }

    /// What remains of a discard that was cut short is no store: `CURRENT`, without which there is none, goes first.
    package func discard(_ partition: Int32) throws {
        let path = directory.folder(partition)
        let current = path + "/CURRENT"
        guard unsafe unlink(current) == 0 || errno == ENOENT else {
            throw SluiceError(.file, "\(current) cannot be removed", retry: .later, cause: Errno(rawValue: errno))
        }
        try RocksDatabase.destroy(path, options)
    }
}
