package import SluiceCore
import SluiceLSTM
import SluiceSchema
package import SluiceState

extension PartitionState {
    /// Sets back the streams a command names, between two inputs: the next one is folded from the fresh state.
    /// Statistics and fence go on. Returns how many streams it met.
    ///
    /// - Throws: as `find`.
    func reset(_ event: Event) throws -> Int {
        switch event.target {
        case .stream(let key)?:
            guard let slot = try find(key), !holds(slot, event) else { return 0 }
            Self.reset(slot, of: table, event.offset)
            table.markDirty(slot, at: event.offset)
            urgent.append(Array(key.utf8))
            return 1
        case .prefix(let prefix)?:
            var matched = 0
            table.forEach { slot in
                guard table.key(slot).starts(with: prefix.utf8), !holds(slot, event) else { return }
                Self.reset(slot, of: table, event.offset)
                table.markStale(slot)
                matched += 1
            }
            return try matched + spilled(prefix: prefix)
        case nil: return 0
        }
    }

    /// Whether a slot was stored behind the command and has come back with its effect.
    func holds(_ slot: UInt32, _ event: Event) -> Bool {
        event.control.map { $0 < table[slot].header.pointee.control } ?? false
    }

    package static func reset(_ index: UInt32, of table: SlotTable, _ offset: Offset, cause: BoundaryCause = .command) {
        let slot = table[index]
        // The same reset again, behind a crash, is the same reset.
        let header = slot.header.pointee
        if header.step == 0 && header.boundaryCause == cause && header.boundaryOffset == offset { return }
        ScalarPass.reset(
            SlotScalars(base: slot.scalars, layout: table.layout), cause: cause, time: header.time,
            offset: offset, inputs: table.layout.shape.inputs)
        slot.base.copyMemory(from: table.initialState, byteCount: table.layout.stateBytes)
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
