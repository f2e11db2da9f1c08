public import SluiceCore

/// Where a partition's stored state stands.
public struct StoredPosition: Sendable, Equatable {
    /// Names the log of state (the changelog's life) that is stored; empty where delivery keeps none.
    public var identity: String
    /// First input that was not committed when this was stored.
    public var offset: Offset
    /// First input that is folded again behind a restart: what was stored holds all inputs before it, and what it holds
    /// of later ones each snapshot says.
    public var replayFrom: Offset
    /// Commands before this place in the control partition have taken effect.
    public var controlOffset: Offset
    /// First record of the changelog that is not stored.
    public var changelogOffset: Offset
    /// SHA-256 of the file of the model that folds the input at `offset`, in hexadecimal.
    public var modelHash: String
    /// Latest event time folded: what is idle is measured from it.
    public var latest: EpochMilliseconds
    /// When it was stored, by the wall clock: a changelog forgets its tombstones in time.
    public var storedAt: EpochMilliseconds
    /// Partitions of the input, by which keys hashed to this one; nil for a store of before it was recorded.
    public var partitions: Int?

    public init(
        identity: String = "", offset: Offset, replayFrom: Offset, controlOffset: Offset, changelogOffset: Offset = 0,
        modelHash: String, latest: EpochMilliseconds = .absent, storedAt: EpochMilliseconds = 0,
        partitions: Int? = nil
    ) {
        self.identity = identity
        self.offset = offset
        self.replayFrom = replayFrom
        self.controlOffset = controlOffset
        self.changelogOffset = changelogOffset
        self.modelHash = modelHash
        self.latest = latest
        self.storedAt = storedAt
        self.partitions = partitions
    }
}

/// The stores of a worker's partitions on this machine. Confined to one worker; each partition is opened by its owner
/// alone.
public protocol PartitionStores: AnyObject {
    /// Opens a partition's store and verifies it; an empty one where there is none.
    ///
    /// - Throws: `state-invalid` for what is torn or corrupt, which `discard` then removes; `file` for a disk that
    ///   fails or another process that holds it.
    func open(_ partition: Int32) throws -> any PartitionStore
    /// Calls `body`, from any thread, when a write that was begun is written.
    func onWritten(_ body: @escaping @Sendable () -> Void)
    /// Deletes all that is stored of a partition that is not open.
    func discard(_ partition: Int32) throws
}

/// The state of one partition on this machine: the changelog's records by key, slots and markers, and the position at
/// which they stand. A write is atomic: after a crash all of it is there or nothing.
public protocol PartitionStore: AnyObject {
    /// As last written; nil for an empty store.
    var position: StoredPosition? { get }

    /// Adds an entry to the write that is being made up; it replaces one of the same key.
    func put(key: UnsafeRawBufferPointer, value: UnsafeRawBufferPointer)
    /// Takes an entry out, in the write that is being made up.
    func remove(key: UnsafeRawBufferPointer)
    /// Begins to write what was put and removed since the last write, with the position, at once, beside the caller,
    /// who puts and removes nothing until it is written. A read meanwhile finds a key as it was or as it is written.
    ///
    /// - Throws: as `isWritten`.
    func startWrite(_ position: StoredPosition) throws
    /// Whether what was begun is written, as is everything where nothing was.
    ///
    /// - Parameter waits: returns when it is.
    /// - Throws: `file`; what was put stays to be written by another try. `state-invalid` where the try finds that what
    ///   was stored is damaged or did not reach the disk.
    func isWritten(waits: Bool) throws -> Bool

    /// Lends the written value of a key; false where there is none.
    func read(key: UnsafeRawBufferPointer, _ body: (UnsafeRawBufferPointer) throws -> Void) throws -> Bool
    /// Lends written entries in the byte order of their keys: those that begin with `prefix`, behind `after`, at most
    /// `limit`.
    ///
    /// - Returns: the last key lent; nil when there is none behind it.
    func scan(
        prefix: [UInt8], after: [UInt8]?, limit: Int,
        _ body: (_ key: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer) throws -> Void
    ) throws -> [UInt8]?

    /// Gives back the memory that large writes have taken, soon; it may wait for a write of the store's own.
    func releaseMemory()

    /// Bytes on disk, roughly.
    var bytesOnDisk: Int { get }
    /// Lets go of it; what was written stays, and what was begun is written or not.
    func close()
}

extension PartitionStore {
    /// A store without buffers has none to give back.
    public func releaseMemory() {}

    /// Writes what was put and removed since the last write, with the position, at once.
    ///
    /// - Throws: as `isWritten`.
    public func write(_ position: StoredPosition) throws {
        try startWrite(position)
        _ = try isWritten(waits: true)
    }
}
