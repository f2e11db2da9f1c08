internal import CRocksDB
internal import SluiceCore

/// Owner of one open `rocksdb_t`. Batches may outlive it, iterators may not.
@safe
final class RocksDatabase: Sendable {
    let path: String
    // RocksDB is safe for all threads.
    private nonisolated(unsafe) let pointer: OpaquePointer?
    // Options are only read.
    private nonisolated(unsafe) let writing: OpaquePointer?
    // As well.
    private nonisolated(unsafe) let reading: OpaquePointer?

    /// - Parameter isSynced: writes go through the write-ahead log and are on disk when they return; else they go to
    ///   the memory alone until it is flushed.
    /// - Throws: `state-invalid`, `file`.
    init(_ path: String, _ options: RocksOptions, isSynced: Bool) throws {
        self.path = path
        unsafe pointer = try unsafe withRocksError(path) { unsafe rocksdb_open(options.pointer, path, $0) }
        unsafe writing = rocksdb_writeoptions_create()
        unsafe rocksdb_writeoptions_set_sync(writing, isSynced ? 1 : 0)
        unsafe rocksdb_writeoptions_disable_WAL(writing, isSynced ? 0 : 1)
        // Checksums are verified in every read: RocksDB's default.
        unsafe reading = rocksdb_readoptions_create()
    }

    /// What was written without the log is flushed, as far as the disk allows.
    deinit {
        unsafe rocksdb_readoptions_destroy(reading)
        unsafe rocksdb_writeoptions_destroy(writing)
        unsafe rocksdb_close(pointer)
    }

    /// Deletes a database that is not open, and its folder.
    static func destroy(_ path: String, _ options: RocksOptions) throws {
        try unsafe withRocksError(path) { unsafe rocksdb_destroy_db(options.pointer, path, $0) }
    }

    func write(_ batch: RocksBatch) throws {
        try unsafe withRocksError(path) { unsafe rocksdb_write(pointer, writing, batch.pointer, $0) }
    }

    /// Begins to write what is in memory to a file, and does not wait for it; but for one that is being written
    /// already, where another would stall writes.
    func startFlush() throws {
        let options = unsafe rocksdb_flushoptions_create()
        defer { unsafe rocksdb_flushoptions_destroy(options) }
        unsafe rocksdb_flushoptions_set_wait(options, 0)
        try unsafe withRocksError(path) { unsafe rocksdb_flush(pointer, options, $0) }
    }

    /// Lends the value of a key in RocksDB's own memory; false where there is none.
    func read(_ key: UnsafeRawBufferPointer, _ body: (UnsafeRawBufferPointer) throws -> Void) throws -> Bool {
        let (start, count) = unsafe characters(key)
        let found = try unsafe withRocksError(path) { unsafe rocksdb_get_pinned(pointer, reading, start, count, $0) }
        guard let found = unsafe found else { return false }
        defer { unsafe rocksdb_pinnableslice_destroy(found) }
        var length = 0
        let value = unsafe rocksdb_pinnableslice_value(found, &length)
        try unsafe body(UnsafeRawBufferPointer(start: value, count: length))
        return true
    }

    /// An iterator over what is written now, from `start` on, below `end`.
    ///
    /// - Parameter readAhead: bytes read at a time; 0 leaves it to RocksDB, which begins with little.
    func iterator(from start: [UInt8], below end: [UInt8]?, readAhead: Int) -> RocksIterator {
        unsafe RocksIterator(pointer, path, from: start, below: end, readAhead: readAhead)
    }

    /// A number that RocksDB keeps about itself; 0 where it does not know it.
    func property(_ name: String) -> UInt64 {
        var value: UInt64 = 0
        return unsafe rocksdb_property_int(pointer, name, &value) == 0 ? value : 0
    }
}

/// Entries in the order of their keys, as they were when it was made.
@safe
struct RocksIterator: ~Copyable {
    private let pointer: OpaquePointer?
    private let options: OpaquePointer?
    private let path: String
    /// RocksDB keeps a pointer to it.
    private let bound: UnsafeMutableBufferPointer<CChar>?

    fileprivate init(
        _ database: OpaquePointer?, _ path: String, from start: [UInt8], below end: [UInt8]?, readAhead: Int
    ) {
        self.path = path
        unsafe options = rocksdb_readoptions_create()
        // A scan passes once; what single reads have in the cache stays.
        unsafe rocksdb_readoptions_set_fill_cache(options, 0)
        unsafe rocksdb_readoptions_set_readahead_size(options, readAhead)
        if let end {
            let copy = UnsafeMutableBufferPointer<CChar>.allocate(capacity: end.count)
            _ = unsafe copy.initialize(from: end.lazy.map { CChar(bitPattern: $0) })
            unsafe rocksdb_readoptions_set_iterate_upper_bound(options, copy.baseAddress, copy.count)
            unsafe bound = unsafe copy
        } else {
            unsafe bound = nil
        }
        unsafe pointer = rocksdb_create_iterator(database, options)
        unsafe start.withUnsafeBytes { start in
            let (start, count) = unsafe characters(start)
            unsafe rocksdb_iter_seek(pointer, start, count)
        }
    }

    deinit {
        unsafe rocksdb_iter_destroy(pointer)
        unsafe rocksdb_readoptions_destroy(options)
        unsafe bound?.deallocate()
    }

    /// False behind the last entry, and where an entry cannot be read: `check` tells which.
    var isValid: Bool { unsafe rocksdb_iter_valid(pointer) != 0 }

    /// Valid until `advance`.
    var key: UnsafeRawBufferPointer {
        var count = 0
        let start = unsafe rocksdb_iter_key(pointer, &count)
        return unsafe UnsafeRawBufferPointer(start: start, count: count)
    }

    /// Valid until `advance`.
    var value: UnsafeRawBufferPointer {
        var count = 0
        let start = unsafe rocksdb_iter_value(pointer, &count)
        return unsafe UnsafeRawBufferPointer(start: start, count: count)
    }

    func advance() { unsafe rocksdb_iter_next(pointer) }

    func check() throws {
        try unsafe withRocksError(path) { unsafe rocksdb_iter_get_error(pointer, $0) }
    }
}

/// Bytes as the C API takes them; never null, which it would dereference.
func characters(_ bytes: UnsafeRawBufferPointer) -> (UnsafePointer<CChar>, Int) {
    guard let start = bytes.baseAddress else { return unsafe (empty, 0) }
    return unsafe (start.assumingMemoryBound(to: CChar.self), bytes.count)
}
/// Never read, never written: where no bytes begin.
private nonisolated(unsafe) let empty = unsafe UnsafePointer(UnsafeMutablePointer<CChar>.allocate(capacity: 1))
