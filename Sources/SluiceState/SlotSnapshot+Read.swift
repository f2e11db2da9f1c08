public import SluiceCore
import SluiceLSTM

extension SlotSnapshot {
    /// What a snapshot says of itself before its content is looked at.
    public struct Stamp: Equatable {
        public var sameShape: Bool
        public var sameModel: Bool
    }

    /// Where a snapshot stands, and what a list says of it; read without the model's help.
    @safe public struct Summary {
        /// SHA-256 of the model file, 32 bytes. Valid, as key and sequence are, as long as the snapshot's bytes.
        var hash: UnsafeRawBufferPointer
        /// Every input of the partition before `position`, every command before `control`, is in it.
        public var position, control: Offset
        /// As restored: `key` and `sequence` are none.
        public var header: SlotHeader
        public var key: UnsafeRawBufferPointer
        /// Nil base address for none.
        public var sequence: UnsafeRawBufferPointer

        /// In hexadecimal.
        public var modelHash: String { unsafe hash.hexadecimal }
    }

    /// Checks magic, version, length and checksum, and compares shape and model.
    public func inspect(_ bytes: UnsafeRawBufferPointer) throws(SluiceError) -> Stamp {
        var reader = unsafe try Self.open(bytes)
        var sizes: [UInt32] = []
        for _ in 0..<5 { sizes.append(try reader.get(UInt32.self)) }
        let mine = [layout.shape.inputs, layout.shape.hidden, layout.shape.layers, layout.targets, layout.ringLength]
        let hash = unsafe try reader.take(32)
        return Stamp(
            sameShape: sizes == mine.map { UInt32($0) },
            sameModel: unsafe modelHash.withUnsafeBytes { unsafe $0.equals(hash) })
    }

    /// Checks magic, version, length and checksum; a reader behind them.
    private static func open(_ bytes: UnsafeRawBufferPointer) throws(SluiceError) -> SnapshotReader {
        var reader = unsafe SnapshotReader(bytes)
        guard try reader.get(UInt32.self) == magic else { throw broken("it does not begin with SLOT") }
        let version = try reader.get(UInt16.self)
        guard version == Self.version else { throw broken("version \(version) is not \(Self.version)") }
        guard try reader.get(UInt16.self) == 0 else { throw broken("it has flags that are not known") }
        guard Int(try reader.get(UInt32.self)) == bytes.count else { throw broken("its length is wrong") }
        let checksum = try reader.get(UInt64.self)
        guard unsafe checksum == xxHash64(UnsafeRawBufferPointer(rebasing: bytes[(checksumOffset + 8)...])) else {
            throw broken("its checksum is wrong")
        }
        return reader
    }

    /// What a snapshot of any model says of itself.
    ///
    /// - Throws: `state-invalid` when the bytes are torn or corrupt.
    public static func summary(_ bytes: UnsafeRawBufferPointer) throws(SluiceError) -> Summary {
        var reader = unsafe try open(bytes)
        try reader.skip(20)
        return try readSummary(&reader)
    }

    private static func readSummary(_ reader: inout SnapshotReader) throws(SluiceError) -> Summary {
        let hash = unsafe try reader.take(32)
        let (position, control, header) = try readScalars(&reader)
        let (key, sequence) = unsafe try readTexts(&reader)
        return unsafe Summary(
            hash: hash, position: position, control: control, header: header, key: key, sequence: sequence)
    }

    /// Key and sequence id, the latter with a nil base address for none.
    private static func readTexts(
        _ reader: inout SnapshotReader
    ) throws(SluiceError) -> (key: UnsafeRawBufferPointer, sequence: UnsafeRawBufferPointer) {
        let keyLength = Int(try reader.get(UInt32.self))
        let sequenceLength = try reader.get(UInt32.self)
        guard keyLength > 0, keyLength <= Limits.keyBytes else { throw broken("its key has \(keyLength) bytes") }
        guard sequenceLength == noSequence || sequenceLength <= Limits.sequenceBytes else {
            throw broken("its sequence id has \(sequenceLength) bytes")
        }
        let key = unsafe try reader.take(keyLength)
        guard unsafe String(validating: key, as: UTF8.self) != nil else { throw broken("its key is not UTF-8") }
        guard sequenceLength != noSequence else {
            return unsafe (key, UnsafeRawBufferPointer(start: nil, count: 0))
        }
        let sequence = unsafe try reader.take(Int(sequenceLength))
        guard unsafe String(validating: sequence, as: UTF8.self) != nil else {
            throw broken("its sequence id is not UTF-8")
        }
        return unsafe (key, sequence)
    }

    /// Puts a snapshot into its stream's slot, replacing what is there. Returns the slot.
    ///
    /// - Parameter stream: the key of another stream that it is for; nil for its own.
    /// - Throws: `state-invalid` when the bytes are torn or corrupt, `state-foreign` when shape or model are another's.
    public func restore(
        _ bytes: UnsafeRawBufferPointer, into table: SlotTable, as stream: UnsafeRawBufferPointer? = nil
    ) throws(SluiceError) -> UInt32 {
        var (reader, summary) = unsafe try readHead(bytes)
        let slot = unsafe table.intern(stream ?? summary.key)
        unsafe table.texts.remove(table[slot].header.pointee.sequence)
        summary.header.key = unsafe table[slot].header.pointee.key
        summary.header.isDirty = unsafe table[slot].header.pointee.isDirty
        summary.header.isStale = unsafe table[slot].header.pointee.isStale
        unsafe summary.header.sequence =
            summary.sequence.baseAddress == nil ? .none : table.texts.insert(summary.sequence)
        try readContent(&reader, summary.header, into: table[slot])
        table.hold(slot, position: summary.position, control: summary.control)
        return slot
    }

    /// Whether a snapshot that comes from outside can be restored.
    ///
    /// - Throws: as `restore`; `state-invalid` as well for numbers that no fold leaves behind.
    public func check(_ bytes: UnsafeRawBufferPointer) throws(SluiceError) {
        var reader = try unsafe readHead(bytes).reader
        let shape = layout.shape
        for input in 0..<2 * shape.inputs {
            let value = Double(bitPattern: try reader.get(UInt64.self))
            guard value.isFinite && (input < shape.inputs || value >= 0) else {
                throw Self.broken("a mean or a variance is not a number")
            }
        }
        try reader.skip(shape.inputs * 6)
        for _ in 0..<2 * shape.layers * shape.hidden where !Float(bitPattern: try reader.get(UInt32.self)).isFinite {
            throw Self.broken("its h or c is not a number")
        }
    }

    /// All that precedes the content, with a reader that stands there; nothing behind it can be wrong.
    private func readHead(
        _ bytes: UnsafeRawBufferPointer
    ) throws(SluiceError) -> (reader: SnapshotReader, summary: Summary) {
        let stamp = unsafe try inspect(bytes)
        guard stamp.sameShape && stamp.sameModel else {
            throw SluiceError(.foreignState, "the snapshot belongs to another model")
        }
        var reader = unsafe SnapshotReader(bytes)
        try reader.skip(Self.hashOffset)
        let summary = try Self.readSummary(&reader)
        guard reader.remaining == contentBytes else { throw Self.broken("its length does not fit its shape") }
        // Looked at before a slot is taken.
        var ahead = reader
        try ahead.skip(layout.shape.inputs * 20)
        for _ in 0..<layout.shape.inputs where try ahead.get(UInt16.self) > StreamStatistics.countMaximum {
            throw Self.broken("it counts more values than are counted")
        }
        return (reader, summary)
    }

    private var contentBytes: Int {
        layout.shape.inputs * SlotLayout.featureBytes + 2 * layout.shape.layers * layout.shape.hidden * 4
            + layout.ringBytes
    }

    private static func readScalars(
        _ reader: inout SnapshotReader
    ) throws(SluiceError) -> (position: Offset, control: Offset, header: SlotHeader) {
        var header = SlotHeader()
        let position = try number(&reader, 0..<Offset.max)
        let control = try number(&reader, 0..<Offset.max)
        header.fence = try number(&reader, -1..<min(position, SlotHeader.numberLimit))
        header.time = try number(&reader, Timestamp.range)
        header.step = try number(&reader, 0..<SlotHeader.numberLimit)
        header.boundaryTime = try number(&reader, Timestamp.range)
        header.boundaryOffset = try number(&reader, -1..<SlotHeader.numberLimit)
        header.resets = try reader.get(UInt32.self)
        guard let cause = BoundaryCause(rawValue: try reader.get(UInt8.self)) else {
            throw broken("its boundary has no cause")
        }
        header.boundaryCause = cause
        guard try reader.get(UInt8.self) == 0 else { throw broken("its reserved byte is not 0") }
        let errors = try reader.get(UInt16.self)
        header.errorCount = errors
        header.forecast = Float(bitPattern: try reader.get(UInt32.self))
        header.anomaly = Float(bitPattern: try reader.get(UInt32.self))
        header.error = Float(bitPattern: try reader.get(UInt32.self))
        for bin in 0..<16 { header.bins.counts[bin] = try reader.get(UInt16.self) }
        guard errors <= ForecastPass.errorWindow, header.bins.isPlausible else { throw outOfRange }
        return (position, control, header)
    }

    /// A number that the fold's arithmetic on it cannot overflow.
    private static func number(
        _ reader: inout SnapshotReader, _ range: Range<Int64>
    ) throws(SluiceError) -> Int64 {
        let number = Int64(bitPattern: try reader.get(UInt64.self))
        guard range.contains(number) else { throw outOfRange }
        return number
    }

    private static var outOfRange: SluiceError { broken("its fence, step, times or counts are out of range") }

    private func readContent(_ reader: inout SnapshotReader, _ header: SlotHeader, into block: Slot) throws(SluiceError)
    {
        let scalars = unsafe SlotScalars(base: block.scalars, layout: layout)
        unsafe try reader.copy(layout.shape.inputs * SlotLayout.featureBytes, to: scalars.features)
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
