import SluiceCore
import SluiceLSTM
import SluiceSchema
import SluiceState

extension PartitionState {
    /// Sets back the streams a command names, between two inputs: the next one is folded from the fresh state.
    /// Statistics and fence go on.
    ///
    /// - Returns: how many streams it met; nil for one that is on its way through them.
    /// - Throws: as `find`.
    func reset(_ event: Event) throws -> Int? {
        switch event.target {
        case .stream(let key)?:
            guard let slot = try find(key), !table.holds(slot, event.control) else { return 0 }
            table.reset(slot, at: event.offset)
            table.markDirty(slot, at: event.offset)
            urgent.append(Array(key.utf8))
            return 1
        case .prefix(let prefix)?:
            settle()
            table.reset(prefix: Array(prefix.utf8), at: event.offset, control: event.control)
            passing = event
            return nil
        case nil: return 0
        }
    }

    /// Brings slots up to the last command to the whole partition.
    ///
    /// - Parameter limit: slots looked at.
    func settle(limit: Int = .max) {
        guard let matched = table.settle(limit: limit), let event = passing else { return }
        met.append((event, matched))
        passing = nil
    }

    /// The slot of a stream that is in memory.
    func inMemory(_ key: String) -> UInt32? {
        var key = key
        return key.withUTF8 { table.find(UnsafeRawBufferPointer($0)) }
    }

    /// The slot of a stream.
    package func find(_ key: String) throws -> UInt32? {
        var key = key
        return try key.withUTF8 { try find(UnsafeRawBufferPointer($0)) }
    }

    /// Streams in the store alone whose key begins so; a marker tells each when it comes back.
    func spilled(prefix: String) throws -> Int {
        guard spilled > 0 else { return 0 }
        if prefix.isEmpty { return spilled }
        var count = 0
        try scanSpilled(prefix: Array(prefix.utf8), after: nil, limit: .max) { _, _ in count += 1 }
        return count
    }

    /// Lends streams that are in the store alone, in the byte order of their keys.
    ///
    /// - Returns: the last key looked at; nil when there is none behind it.
    @discardableResult
    func scanSpilled(
        prefix: [UInt8], after: [UInt8]?, limit: Int,
        _ body: (_ key: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer) throws -> Void
    ) throws -> [UInt8]? {
        try store?.scan(prefix: prefix, after: after, limit: limit) { key, value in
            guard ChangelogKey.isStream(key), table.find(key) == nil, !isDropped(key) else { return }
            try body(key, value)
        }
    }
}
