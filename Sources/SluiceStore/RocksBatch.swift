internal import CRocksDB

/// Entries to be written at once; its memory is used again, but what one large write took of it goes when many after
/// that are small.
///
/// Unchecked: of one thread at a time; whoever begins a write touches it again when that is done.
@safe
final class RocksBatch: @unchecked Sendable {
    /// So many bytes are kept in any case.
    private static let keptBytes = 4 << 20

    private(set) var pointer: OpaquePointer?
    /// Of keys and values: in it now, the most that there ever were, which is about its size, and the most of late.
    private var (bytes, largest, recent) = (0, 0, 0)

    init() { unsafe pointer = rocksdb_writebatch_create() }
    deinit { unsafe rocksdb_writebatch_destroy(pointer) }

    var isEmpty: Bool { bytes == 0 }

    func put(_ key: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer) {
        bytes += key.count + value.count
        let (key, keyCount) = unsafe characters(key)
        let (value, valueCount) = unsafe characters(value)
        unsafe rocksdb_writebatch_put(pointer, key, keyCount, value, valueCount)
    }

    func remove(_ key: UnsafeRawBufferPointer) {
        bytes += key.count
        let (start, count) = unsafe characters(key)
        unsafe rocksdb_writebatch_delete(pointer, start, count)
    }

    func removeAll() {
        (largest, recent) = (max(largest, bytes), max(bytes, recent - recent / 16))
        bytes = 0
        if largest > Self.keptBytes, largest / 4 > recent { return releaseMemory() }
        unsafe rocksdb_writebatch_clear(pointer)
    }

    /// Forgets the entries and the memory for them.
    func releaseMemory() {
        unsafe rocksdb_writebatch_destroy(pointer)
        unsafe pointer = rocksdb_writebatch_create()
        (bytes, largest, recent) = (0, 0, 0)
    }
}
