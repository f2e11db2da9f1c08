public import SluiceCore

/// A declared boundary: `start` resets before the observation is applied, `end` after it.
public enum BoundaryMark: UInt8, Sendable {
    case none, start, end
}

/// Bytes in the arena of the columns that hold them, or none.
public struct ByteRange: Sendable, Equatable {
    public var start: UInt32
    /// −1: none, which differs from empty.
    public var count: Int32

    public static let none = ByteRange(start: 0, count: -1)

    public var isNone: Bool { count < 0 }
}

/// One decoded observation but for its features. Trivial: copied like a number.
public struct Observation: Sendable {
    /// `.absent` only for a tombstone without a time.
    public var time: EpochMilliseconds
    /// The input offset; in files the row's own `source.offset` if it has one.
    public var offset: Offset
    /// The stream's name, UTF-8, not empty.
    public var key: ByteRange
    /// The sequence id, UTF-8.
    public var sequence: ByteRange
    /// The row's own `source.topic`, only in files; `sourcePartition` belongs to it.
    public var sourceTopic: ByteRange
    public var sourcePartition: Int32
    /// NaN: none. A boolean is 0 or 1.
    public var label: Float
    public var boundary: BoundaryMark
    /// The stream has ended: no features, no prediction.
    public var isTombstone: Bool
}

/// Decoded observations, `features` row-major, all memory reused from batch to batch.
public struct ObservationColumns: ~Copyable {
    /// I: features of a row.
    public let featureCount: Int
    public private(set) var rows: [Observation] = []
    /// `[rows.count, featureCount]`; NaN marks a missing value, every other is finite. A tombstone's are NaN.
    private var features: UnsafeMutablePointer<Float>
    private var rowCapacity: Int
    public private(set) var arena: ByteArena

    public init(featureCount: Int, rowsExpected: Int = Limits.batchRecords) {
        self.featureCount = featureCount
        arena = ByteArena(capacity: max(64, rowsExpected * 32))
        rows.reserveCapacity(rowsExpected)
        rowCapacity = max(1, rowsExpected)
        features = .allocate(capacity: rowCapacity * featureCount)
    }

    deinit { features.deallocate() }

    /// A row's features `[I]`. Valid until the columns change.
    @inline(__always)
    public func features(_ row: Int) -> UnsafePointer<Float> {
        assert(row < rows.count)
        return UnsafePointer(features + row * featureCount)
    }

    public var count: Int { rows.count }

    /// Forgets the rows, keeps the memory.
    public mutating func removeAll() {
        rows.removeAll(keepingCapacity: true)
        arena.removeAll()
    }

    /// The bytes of a range, null for none. Valid until the columns change.
    public func bytes(_ range: ByteRange) -> UnsafeRawBufferPointer {
        guard !range.isNone else { return UnsafeRawBufferPointer(start: nil, count: 0) }
        let start = Int(range.start)
        return arena.bytes(start..<(start + Int(range.count)))
    }

    @inline(__always)
    mutating func store(_ bytes: UnsafeRawBufferPointer) -> ByteRange {
        let start = UInt32(arena.count)
        arena.append(bytes)
        return ByteRange(start: start, count: Int32(bytes.count))
    }

    /// Appends a row unless `fill`, which gets its features all NaN, refuses it.
    @inline(__always)
    mutating func append(
        _ row: Observation, features fill: (UnsafeMutablePointer<Float>) -> RejectCode?
    ) -> RejectCode? {
        if rows.count == rowCapacity { grow() }
        let start = features + rows.count * featureCount
        start.update(repeating: .nan, count: featureCount)
        let code = fill(start)
        if code == nil { rows.append(row) }
        return code
    }

    private mutating func grow() {
        let larger = UnsafeMutablePointer<Float>.allocate(capacity: 2 * rowCapacity * featureCount)
        larger.update(from: features, count: rowCapacity * featureCount)
        features.deallocate()
        features = larger
        rowCapacity *= 2
    }

    mutating func truncateArena(to position: Int) { arena.truncate(to: position) }
}
