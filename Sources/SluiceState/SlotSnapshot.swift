package import SluiceCore
import SluiceLSTM

/// The one format in which a slot leaves its table: state directory, changelog, export.
///
/// Version 1, little-endian, no padding (`schemas/snapshot.md` is the specification):
///
///     0   magic "SLOT"                 4   version UInt16, flags UInt16 (0)
///     8   length of the whole UInt32   12  XXH64 of all from 20 on
///     20  I, H, L, T, R UInt32 each    40  SHA-256 of the model file, 32 bytes
///     72  fence, time, step, boundary time, boundary offset Int64 each
///     112 resets UInt32                116 boundary cause UInt8, reserved UInt8, error count UInt16
///     120 forecast, anomaly, error Float each; 132 bins 16 × UInt16
///     164 key length UInt32, sequence length UInt32 (2³² − 1: none)
///     172 key, sequence; then mean [I], variance [I] Double; carried [I] Float; count [I] UInt16;
///         h [L][H], c [L][H] Float; ring [R][T] (value, width) Float
package struct SlotSnapshot {
    package static let magic: UInt32 = 0x544F_4C53
    package static let version: UInt16 = 1
    static let checksumOffset = 12
    private static let hashOffset = 40
    static let noSequence = UInt32.max

    private let layout: SlotLayout
    /// SHA-256 of the model file.
    private let modelHash: [UInt8]

    /// - Parameter modelHash: SHA-256 in hexadecimal.
    /// - Throws: `model-invalid` for anything else.
    package init(layout: SlotLayout, modelHash: String) throws(SluiceError) {
        self.layout = layout
        let digits = Array(modelHash.utf8)
        self.modelHash = stride(from: 0, to: digits.count - 1, by: 2).compactMap {
            UInt8(String(decoding: digits[$0...$0 + 1], as: UTF8.self), radix: 16)
        }
        guard digits.count == 64, self.modelHash.count == 32 else {
            throw SluiceError(.invalidModel, "the model has no hash", remedy: "save it to a file first")
        }
    }

    /// What a snapshot says of itself before its content is looked at.
    package struct Stamp: Equatable {
        package var sameShape: Bool
        package var sameModel: Bool
    }

    /// Appends the snapshot of a slot; returns its length.
    @discardableResult
    package func write(_ slot: UInt32, of table: SlotTable, to arena: inout ByteArena) -> Int {
        let start = arena.count
        let block = table[slot]
        let scalars = unsafe SlotScalars(base: block.scalars, layout: layout)
        let header = unsafe block.header.pointee
        arena.put(Self.magic)
        arena.put(Self.version)
        arena.put(UInt16(0))
        arena.put(UInt32(0))
        arena.put(UInt64(0))
        arena.put(UInt32(layout.shape.inputs))
        arena.put(UInt32(layout.shape.hidden))
        arena.put(UInt32(layout.shape.layers))
        arena.put(UInt32(layout.targets))
        arena.put(UInt32(layout.ringLength))
        unsafe modelHash.withUnsafeBytes { unsafe arena.append($0) }
        writeScalars(header, table, to: &arena)
        let inputs = layout.shape.inputs
        unsafe arena.put(scalars.means, inputs * 8)
        unsafe arena.put(scalars.variances, inputs * 8)
        unsafe arena.put(scalars.carried, inputs * 4)
        unsafe arena.put(scalars.counts, inputs * 2)
        for part in 0..<2 {
            for layer in 0..<layout.shape.layers {
                unsafe arena.put(block.state + (2 * layer + part) * layout.shape.paddedHidden, layout.shape.hidden * 4)
            }
        }
        unsafe arena.put(block.ring, layout.ringBytes)
        return arena.seal(from: start)
    }

    private func writeScalars(_ header: SlotHeader, _ table: SlotTable, to arena: inout ByteArena) {
        arena.put(header.fence)
        arena.put(header.time)
        arena.put(header.step)
        arena.put(header.boundaryTime)
        arena.put(header.boundaryOffset)
        arena.put(header.resets)
        arena.put(header.boundaryCause.rawValue)
        arena.put(UInt8(0))
        arena.put(header.errorCount)
        arena.put(header.forecast.bitPattern)
        arena.put(header.anomaly.bitPattern)
        arena.put(header.error.bitPattern)
        for bin in 0..<16 { arena.put(header.bins.counts[bin]) }
        let (key, sequence) = unsafe (table.texts.bytes(header.key), table.texts.bytes(header.sequence))
        arena.put(UInt32(key.count))
        unsafe arena.put(sequence.baseAddress == nil ? Self.noSequence : UInt32(sequence.count))
        unsafe arena.append(key)
        unsafe arena.append(sequence)
    }

    /// Checks magic, version, length and checksum, and compares shape and model.
    package func inspect(_ bytes: UnsafeRawBufferPointer) throws(SluiceError) -> Stamp {
        var reader = unsafe SnapshotReader(bytes)
        guard try reader.get(UInt32.self) == Self.magic else { throw Self.broken("it does not begin with SLOT") }
        let version = try reader.get(UInt16.self)
        guard version == Self.version else { throw Self.broken("version \(version) is not \(Self.version)") }
        guard try reader.get(UInt16.self) == 0 else { throw Self.broken("it has flags that are not known") }
        guard Int(try reader.get(UInt32.self)) == bytes.count else { throw Self.broken("its length is wrong") }
        let checksum = try reader.get(UInt64.self)
        guard unsafe checksum == xxHash64(UnsafeRawBufferPointer(rebasing: bytes[(Self.checksumOffset + 8)...])) else {
            throw Self.broken("its checksum is wrong")
        }
        var sizes: [UInt32] = []
        for _ in 0..<5 { sizes.append(try reader.get(UInt32.self)) }
        let mine = [layout.shape.inputs, layout.shape.hidden, layout.shape.layers, layout.targets, layout.ringLength]
        let hash = unsafe try reader.take(32)
        return Stamp(
            sameShape: sizes == mine.map { UInt32($0) },
            sameModel: unsafe modelHash.withUnsafeBytes { unsafe $0.equals(hash) })
    }

    /// Puts a snapshot into its stream's slot, replacing what is there. Returns the slot.
    ///
    /// - Throws: `state-invalid` when the bytes are torn or corrupt, `state-foreign` when shape or model are another's.
    package func restore(_ bytes: UnsafeRawBufferPointer, into table: SlotTable) throws(SluiceError) -> UInt32 {
        let stamp = unsafe try inspect(bytes)
        guard stamp.sameShape && stamp.sameModel else {
            throw SluiceError(.foreignState, "the snapshot belongs to another model")
        }
        var reader = unsafe SnapshotReader(bytes)
        try reader.skip(Self.hashOffset + 32)
        var header = SlotHeader()
        try Self.readScalars(&reader, into: &header)
        let keyLength = Int(try reader.get(UInt32.self))
        let sequenceLength = try reader.get(UInt32.self)
        guard keyLength > 0, keyLength <= Limits.keyBytes else { throw Self.broken("its key has \(keyLength) bytes") }
        guard sequenceLength == Self.noSequence || sequenceLength <= Limits.sequenceBytes else {
            throw Self.broken("its sequence id has \(sequenceLength) bytes")
        }
        let key = unsafe try reader.take(keyLength)
        let sequence = unsafe try reader.take(sequenceLength == Self.noSequence ? 0 : Int(sequenceLength))
        guard reader.remaining == contentBytes else { throw Self.broken("its length does not fit its shape") }
        let slot = unsafe table.intern(key)
        unsafe table.texts.remove(table[slot].header.pointee.sequence)
        header.key = unsafe table[slot].header.pointee.key
        header.keyHash = unsafe table[slot].header.pointee.keyHash
        header.isDirty = unsafe table[slot].header.pointee.isDirty
        unsafe header.sequence = sequenceLength == Self.noSequence ? .none : table.texts.insert(sequence)
        try readContent(&reader, header, into: table[slot])
        return slot
    }

    private var contentBytes: Int {
        layout.shape.inputs * 22 + 2 * layout.shape.layers * layout.shape.hidden * 4 + layout.ringBytes
    }

    private static func readScalars(_ reader: inout SnapshotReader, into header: inout SlotHeader) throws(SluiceError) {
        header.fence = Int64(bitPattern: try reader.get(UInt64.self))
        header.time = Int64(bitPattern: try reader.get(UInt64.self))
        header.step = Int64(bitPattern: try reader.get(UInt64.self))
        header.boundaryTime = Int64(bitPattern: try reader.get(UInt64.self))
        header.boundaryOffset = Int64(bitPattern: try reader.get(UInt64.self))
        header.resets = try reader.get(UInt32.self)
        guard let cause = BoundaryCause(rawValue: try reader.get(UInt8.self)) else {
            throw broken("its boundary has no cause")
        }
        header.boundaryCause = cause
        _ = try reader.get(UInt8.self)
        header.errorCount = try reader.get(UInt16.self)
        header.forecast = Float(bitPattern: try reader.get(UInt32.self))
        header.anomaly = Float(bitPattern: try reader.get(UInt32.self))
        header.error = Float(bitPattern: try reader.get(UInt32.self))
        for bin in 0..<16 { header.bins.counts[bin] = try reader.get(UInt16.self) }
        guard header.isPlausible else { throw broken("its fence, step, times or counts are out of range") }
    }

    private func readContent(_ reader: inout SnapshotReader, _ header: SlotHeader, into block: Slot) throws(SluiceError)
    {
        let scalars = unsafe SlotScalars(base: block.scalars, layout: layout)
        let inputs = layout.shape.inputs
        unsafe try reader.copy(inputs * 8, to: scalars.means)
        unsafe try reader.copy(inputs * 8, to: scalars.variances)
        unsafe try reader.copy(inputs * 4, to: scalars.carried)
        unsafe try reader.copy(inputs * 2, to: scalars.counts)
        for part in 0..<2 {
            for layer in 0..<layout.shape.layers {
                let target = unsafe block.state + (2 * layer + part) * layout.shape.paddedHidden
                unsafe try reader.copy(layout.shape.hidden * 4, to: target)
            }
        }
        unsafe try reader.copy(layout.ringBytes, to: block.ring)
        unsafe block.header.pointee = header
    }

    static func broken(_ what: String) -> SluiceError {
        SluiceError(.invalidState, "a slot snapshot is corrupt: \(what)")
    }
}
