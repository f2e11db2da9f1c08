internal import Dispatch
package import SluiceCore
package import SluiceState
internal import Synchronization

/// A partition's store on RocksDB.
///
/// After a write that failed RocksDB refuses all others: the next one opens the database anew, and goes on where it
/// still stands where it stood.
package final class RocksStore: PartitionStore {
    /// How old, by the times at which positions were stored, what is in memory alone may become.
    package static let flushInterval: EpochMilliseconds = 5 * 60 * 1_000
    /// Entries from which a scan is long enough to read far ahead: a page of a list is not.
    private static let longScan = 1_000
    private static let readAhead = 1 << 20

    package private(set) var position: StoredPosition?

    /// The claim on the directory lasts as long as the store.
    private let directory: StateDirectory
    private let path: String
    private let options: RocksOptions
    private let durability: WriteDurability
    private let writes: WriteQueue
    /// Nil when it is closed, and when it could not be opened anew.
    private var database: RocksDatabase?
    private var isClosed = false
    private let batch = RocksBatch()
    private var encoded = ByteArena(capacity: 1_024)
    private var underway: WriteUnderway?
    /// The position of a write that failed; it may have reached the disk.
    private var attempted: StoredPosition?
    /// Reads and scans under way: what they lend is the open database's.
    private var lending = 0
    private var flushedAt: EpochMilliseconds?

    init(
        _ partition: Int32, of directory: StateDirectory, _ options: RocksOptions, _ durability: WriteDurability,
        _ writes: WriteQueue
    ) throws {
        (self.directory, self.options, self.durability, self.writes) = (directory, options, durability, writes)
        path = directory.folder(partition)
        let database = try Self.database(path, options, durability)
        position = try Self.position(in: database)
        self.database = database
    }

    private static func database(
        _ path: String, _ options: RocksOptions, _ durability: WriteDurability
    ) throws -> RocksDatabase {
        try RocksFiles.check(path)
        return try RocksDatabase(path, options, isSynced: durability == .synced)
    }

    /// - Throws: `state-invalid` where the position is damaged, or entries are there without one.
    private static func position(in database: RocksDatabase) throws -> StoredPosition? {
        var position: StoredPosition?
        let isThere = try unsafe StoredPosition.key.withUnsafeBytes { key in
            try unsafe database.read(key) { bytes in unsafe position = StoredPosition(bytes) }
        }
        if !isThere {
            let entries = database.iterator(from: [], below: nil, readAhead: 0)
            try entries.check()
            if !entries.isValid { return nil }
        }
        guard let position else {
            throw RocksError.invalid(database.path, RocksError("its position is missing or cannot be read"))
        }
        return position
    }

    /// The open database; anew where it was closed for a write that failed.
    private func opened() throws -> RocksDatabase {
        precondition(!isClosed, "a closed store is used")
        if let database { return database }
        let database = try Self.database(path, options, durability)
        let found = try Self.position(in: database)
        guard found == position || found == attempted else {
            throw RocksError.invalid(path, RocksError("what was written last did not reach the disk"))
        }
        (position, attempted) = (found, nil)
        self.database = database
        return database
    }

    package func put(key: UnsafeRawBufferPointer, value: UnsafeRawBufferPointer) {
        precondition(underway == nil, "put while a write is under way")
        precondition(unsafe !Self.isPosition(key), "the position is written by `write`")
        unsafe batch.put(key, value)
    }

    package func remove(key: UnsafeRawBufferPointer) {
        precondition(underway == nil, "removed while a write is under way")
        precondition(unsafe !Self.isPosition(key), "the position is written by `write`")
        unsafe batch.remove(key)
    }

    package func startWrite(_ position: StoredPosition) throws {
        precondition(lending == 0 && underway == nil, "a write within a read or another write")
        if attempted != nil { database = nil }
        let database = try opened()
        position.write(to: &encoded)
        // In a batch the later entry of a key counts: what a failed try left is replaced.
        unsafe StoredPosition.key.withUnsafeBytes { unsafe batch.put($0, encoded.bytes) }
        underway = WriteUnderway(position, batch, database, on: durability == .synced ? writes : nil)
    }

    package func isWritten(waits: Bool) throws -> Bool {
        guard let underway else { return true }
        guard underway.isDone(waits: waits) else { return false }
        self.underway = nil
        if let error = underway.error {
            attempted = underway.position
            throw error
        }
        batch.removeAll()
        position = underway.position
        if durability == .cached, let database { flushIfDue(database, underway.position.storedAt) }
        return true
    }

    private func flushIfDue(_ database: RocksDatabase, _ now: EpochMilliseconds) {
        guard let before = flushedAt else { return flushedAt = now }
        guard now - before >= Self.flushInterval else { return }
        flushedAt = now
        // One more would wait until that one is done.
        guard database.property("rocksdb.mem-table-flush-pending") == 0 else { return }
        // A flush that fails fails the next write.
        try? database.startFlush()
    }

    package func read(key: UnsafeRawBufferPointer, _ body: (UnsafeRawBufferPointer) throws -> Void) throws -> Bool {
        guard unsafe !Self.isPosition(key) else { return false }
        lending += 1
        defer { lending -= 1 }
        return try unsafe opened().read(key, body)
    }

    package func scan(
        prefix: [UInt8], after: [UInt8]?, limit: Int,
        _ body: (_ key: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer) throws -> Void
    ) throws -> [UInt8]? {
        precondition(limit > 0, "a scan without a place for an entry")
        lending += 1
        defer { lending -= 1 }
        let entries = try opened().iterator(
            from: Self.start(prefix, after), below: Self.end(of: prefix),
            readAhead: limit < Self.longScan ? 0 : Self.readAhead)
        var (lent, last): (Int, [UInt8]?) = (0, nil)
        while entries.isValid {
            let key = unsafe entries.key
            if unsafe !Self.isPosition(key) {
                if lent == limit { return last }
                unsafe try body(key, entries.value)
                lent += 1
                if lent == limit { last = unsafe Array(key) }
            }
            entries.advance()
        }
        try entries.check()
        return nil
    }

    /// The first key to be lent: of the prefix, and the least behind `after`, which is `after` and a zero.
    private static func start(_ prefix: [UInt8], _ after: [UInt8]?) -> [UInt8] {
        guard let after, !after.lexicographicallyPrecedes(prefix) else { return prefix }
        return after + [0]
    }

    /// The least key behind all that begin with `prefix`; nil where there is none.
    private static func end(of prefix: [UInt8]) -> [UInt8]? {
        guard let last = prefix.lastIndex(where: { $0 != .max }) else { return nil }
        return prefix[..<last] + [prefix[last] + 1]
    }

    private static func isPosition(_ key: UnsafeRawBufferPointer) -> Bool {
        unsafe key.first == ChangelogKey.reserved && key.elementsEqual(StoredPosition.key)
    }

    /// A batch keeps the size of the largest write, and buffers are full of what a file can hold.
    package func releaseMemory() {
        guard underway == nil, attempted == nil, let database else { return }
        if batch.isEmpty { batch.releaseMemory() }
        // A flush that fails fails the next write.
        try? database.startFlush()
    }

    /// The files of tables, and about what the log of writes has.
    package var bytesOnDisk: Int {
        guard let database else { return 0 }
        return Int(
            database.property("rocksdb.total-sst-files-size") + database.property("rocksdb.cur-size-all-mem-tables"))
    }

    package func close() {
        precondition(lending == 0, "closed within a read")
        underway = nil
        isClosed = true
        database = nil
    }
}

/// Writes one after another, beside their stores' owner: the disk syncs one at a time.
final class WriteQueue: Sendable {
    private let queue = DispatchQueue(label: "sluice.store")
    /// Called behind each of them.
    let written = Mutex<(@Sendable () -> Void)?>(nil)

    func async(_ group: DispatchGroup, _ write: @escaping @Sendable () -> Void) {
        queue.async(group: group, execute: write)
        // Behind it, for only then is the group left.
        if let written = written.withLock({ $0 }) { queue.async(execute: written) }
    }
}

/// One write on a queue beside the store's owner. It ends before this does.
private final class WriteUnderway {
    private final class Outcome: Sendable {
        let error = Mutex<(any Error)?>(nil)
    }

    let position: StoredPosition
    private let batch: RocksBatch
    private let database: RocksDatabase
    private let work = DispatchGroup()
    private let outcome = Outcome()

    /// - Parameter queue: nil: at once, for what is not synced is written to memory.
    init(_ position: StoredPosition, _ batch: RocksBatch, _ database: RocksDatabase, on queue: WriteQueue?) {
        (self.position, self.batch, self.database) = (position, batch, database)
        // Unowned: a queue lets go of what it has done when it likes, and the store must be closed when it says so.
        let write = { @Sendable [outcome, unowned batch, unowned database] in
            do { try database.write(batch) } catch { outcome.error.withLock { $0 = error } }
        }
        if let queue { queue.async(work, write) } else { write() }
    }

    deinit { work.wait() }

    func isDone(waits: Bool) -> Bool {
        guard waits else { return work.wait(timeout: .now()) == .success }
        work.wait()
        return true
    }

    /// What it ended with.
    var error: (any Error)? { outcome.error.withLock { $0 } }
}
