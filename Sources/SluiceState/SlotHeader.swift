public import SluiceCore
import SluiceSchema

/// Why a stream's state was last set back.
public enum BoundaryCause: UInt8, Sendable, CaseIterable {
    /// The stream's first observation.
    case first, command, start, end, sequence, gap, every, daily
    /// Another model took over.
    case swap
    /// Inputs that it needed are gone from the log.
    case lost
}

extension BoundaryCause: CustomStringConvertible {
    public var description: String {
        switch self {
        case .first: "first"
        case .command: "command"
        case .start: "start"
        case .end: "end"
        case .sequence: "sequence"
        case .gap: "gap"
        case .every: "every"
        case .daily: "daily"
        case .swap: "swap"
        case .lost: "lost"
        }
    }
}

/// The scalars of a slot that have a fixed size. Plain bytes: copied with `memcpy`, never retained.
///
/// There are millions of them: offsets, times and counts of observations have 48 bits, which at a million a second last
/// for four years, and in two parts so that nothing is padded.
public struct SlotHeader {
    private var low = Parts<UInt32>(fence: .max, time: .max, step: 0, boundaryTime: .max, boundaryOffset: .max)
    /// The stream's key and its current sequence id, in the table's text pool.
    public var key = TextHandle.none
    public var sequence = TextHandle.none
    /// Resets since creation: the ordinal of random initial states.
    public var resets: UInt32 = 0
    /// What the last prediction said, for lists: NaN before the first, or without one.
    public var forecast: Float = .nan
    public var anomaly: Float = .nan
    /// Rolling mean absolute error of the smallest horizon (or 1 − p(label)), over the last 256 judged forecasts.
    public var error: Float = .nan
    private var high = Parts<Int16>(fence: -1, time: .max, step: 0, boundaryTime: .max, boundaryOffset: -1)
    /// Bits 0 to 8: the error count; 9 to 12: the cause; 13: dirty; 14: stale.
    private var status: UInt16 = 0
    /// Rows that the slot has in the batch at hand, which is its next wave; 0 between batches. Not saved.
    public var batchRows: UInt16 = 0
    /// Nonconformity histogram (`training.md`, "Anomaly score").
    public var bins = AnomalyBins()

    private struct Parts<Part> {
        var fence, time, step, boundaryTime, boundaryOffset: Part
    }

    public init() {}

    /// Whether an observation was ever applied: a slot without one is freed at the end of its batch.
    @inline(__always)
    public var isUsed: Bool { high.time != .max }

    /// What an offset or a count of observations must be below.
    static let numberLimit: Int64 = 1 << 47
}

extension SlotHeader {
    /// The fence: last input offset applied to the slot, or the last before it was imported; −1 before the first.
    @inline(__always)
    public var fence: Offset {
        get { Self.number(low.fence, high.fence) }
        set { (low.fence, high.fence) = Self.parts(newValue) }
    }

    /// Latest event time applied.
    @inline(__always)
    public var time: EpochMilliseconds {
        get { Self.time(low.time, high.time) }
        set { (low.time, high.time) = Self.parts(time: newValue) }
    }

    /// Observations applied since the last boundary, which is the `step` of the next prediction.
    @inline(__always)
    public var step: Int64 {
        get { Self.number(low.step, high.step) }
        set { (low.step, high.step) = Self.parts(newValue) }
    }

    @inline(__always)
    public var boundaryTime: EpochMilliseconds {
        get { Self.time(low.boundaryTime, high.boundaryTime) }
        set { (low.boundaryTime, high.boundaryTime) = Self.parts(time: newValue) }
    }

    /// Offset of the first input folded from the fresh state.
    @inline(__always)
    public var boundaryOffset: Offset {
        get { Self.number(low.boundaryOffset, high.boundaryOffset) }
        set { (low.boundaryOffset, high.boundaryOffset) = Self.parts(newValue) }
    }

    @inline(__always)
    public var errorCount: UInt16 {
        get { status & 0x1FF }
        set { status = status & ~0x1FF | newValue & 0x1FF }
    }

    @inline(__always)
    public var boundaryCause: BoundaryCause {
        get { BoundaryCause(rawValue: UInt8(truncatingIfNeeded: status >> 9 & 0xF)) ?? .first }
        set { status = status & ~(0xF << 9) | UInt16(newValue.rawValue) << 9 }
    }

    /// Has changes that are not stored.
    @inline(__always)
    public var isDirty: Bool {
        get { status & 1 << 13 != 0 }
        set { status = newValue ? status | 1 << 13 : status & ~(1 << 13) }
    }

    /// What is stored, with the markers, comes to the slot as it is: stored anew only for the markers to go.
    @inline(__always)
    public var isStale: Bool {
        get { status & 1 << 14 != 0 }
        set { status = newValue ? status | 1 << 14 : status & ~(1 << 14) }
    }

    @inline(__always)
    private static func number(_ low: UInt32, _ high: Int16) -> Int64 { Int64(high) << 32 | Int64(low) }

    @inline(__always)
    private static func parts(_ number: Int64) -> (UInt32, Int16) {
        assert((-numberLimit..<numberLimit).contains(number), "offsets and counts have 48 bits")
        return (UInt32(truncatingIfNeeded: number), Int16(truncatingIfNeeded: number >> 32))
    }

    /// What is taken from a time for the whole of `Timestamp.range` to have 48 bits, below those of `absent`.
    private static var timeShift: Int64 { Timestamp.range.lowerBound + numberLimit }

    @inline(__always)
    private static func time(_ low: UInt32, _ high: Int16) -> EpochMilliseconds {
        high == .max ? .absent : number(low, high) + timeShift
    }

    @inline(__always)
    private static func parts(time: EpochMilliseconds) -> (UInt32, Int16) {
        time == .absent ? (.max, .max) : parts(time - timeShift)
    }
}
