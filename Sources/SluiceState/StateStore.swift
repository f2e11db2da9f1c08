package import SluiceCore

/// Where a partition's saved state stands.
package struct StorePosition: Sendable, Equatable {
    /// The state holds exactly the inputs before this offset.
    package var offset: Offset
    /// The recorded commands before this offset of the control partition are in it.
    package var controlOffset: Offset
    /// SHA-256 of the model file that made the state.
    package var modelHash: String

    package init(offset: Offset, controlOffset: Offset, modelHash: String) {
        self.offset = offset
        self.controlOffset = controlOffset
        self.modelHash = modelHash
    }
}

/// One change of a saved state.
package enum StoreRecord: UInt8, Sendable {
    /// A slot, as a `SlotSnapshot`.
    case snapshot = 0
    /// A stream that has ended, its key.
    case dropped = 1
}

/// Keeps the state of partitions across restarts. Confined to one worker; each partition is saved by its owner alone.
///
/// A save is atomic: after a crash a load sees all of it or none.
package protocol StateStore: AnyObject {
    /// SHA-256 of the model that made the saved state, in hexadecimal; nil if there is nothing.
    func modelHash(_ partition: Int32) throws -> String?

    /// Hands over what was saved, oldest first, later records replacing earlier ones of the same stream; nil if there
    /// is nothing.
    ///
    /// - Throws: what `body` throws, and `state-invalid`. To whom the state belongs was checked when it was opened.
    func load(_ partition: Int32, _ body: (StoreRecord, UnsafeRawBufferPointer) throws -> Void) throws -> StorePosition?

    /// What was saved cannot be used: the next save holds everything.
    func discard(_ partition: Int32)

    /// Whether the next save of the partition should hold every slot instead of the changed ones.
    func wantsEverything(_ partition: Int32) -> Bool

    /// Saves changes, durably before it returns. `isEverything`: they replace what was saved before.
    func save(_ partition: Int32, _ position: StorePosition, _ changes: borrowing StoreChanges, isEverything: Bool)
        throws
}

/// The changes of one save, framed as `StoreRecord`s: kind UInt8, length UInt32, bytes, little-endian.
package struct StoreChanges: ~Copyable {
    package private(set) var arena = ByteArena()
    package private(set) var count = 0

    package init() {}

    package mutating func removeAll() {
        arena.removeAll()
        count = 0
    }

    package mutating func drop(_ key: [UInt8]) {
        arena.put(StoreRecord.dropped.rawValue)
        arena.put(UInt32(key.count))
        unsafe key.withUnsafeBytes { unsafe arena.append($0) }
        count += 1
    }

    package mutating func put(_ slot: UInt32, of table: SlotTable, as format: SlotSnapshot) {
        arena.put(StoreRecord.snapshot.rawValue)
        let lengthOffset = arena.count
        arena.put(UInt32(0))
        let length = format.write(slot, of: table, to: &arena)
        unsafe (arena.base + lengthOffset).storeBytes(of: UInt32(length).littleEndian, as: UInt32.self)
        count += 1
    }

    /// Takes framed records apart.
    ///
    /// - Throws: `state-invalid` when they are cut short or of an unknown kind.
    package static func forEach(
        in bytes: UnsafeRawBufferPointer, _ body: (StoreRecord, UnsafeRawBufferPointer) throws -> Void
    ) throws {
        var reader = unsafe SnapshotReader(bytes)
        while reader.remaining > 0 {
            guard let kind = StoreRecord(rawValue: try reader.get(UInt8.self)) else {
                throw SluiceError(.invalidState, "a saved state holds a record of an unknown kind")
            }
            let length = try reader.get(UInt32.self)
            unsafe try body(kind, try reader.take(Int(length)))
        }
    }
}
