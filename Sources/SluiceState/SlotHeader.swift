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
public struct SlotHeader {
    /// The fence: last input offset applied to the slot, or the last before it was imported; −1 before the first.
    public var fence: Offset = -1
    /// Latest event time applied.
    public var time: EpochMilliseconds = .absent
    /// Observations applied since the last boundary, which is the `step` of the next prediction.
    public var step: Int64 = 0
    public var boundaryTime: EpochMilliseconds = .absent
    /// Offset of the first input folded from the fresh state.
    public var boundaryOffset: Offset = -1
    /// The stream's key and its current sequence id, in the table's text pool.
    public var key = TextHandle.none
    public var sequence = TextHandle.none
    /// XXH64 of the key; not saved.
    public var keyHash: UInt64 = 0
    /// Number of the batch that last touched the slot, and how many of its rows the slot has: its next wave. Not saved.
    public var batch: UInt32 = 0
    public var batchRows: UInt32 = 0
    /// Resets since creation: the ordinal of random initial states.
    public var resets: UInt32 = 0
    /// What the last prediction said, for lists: NaN before the first, or without one.
    public var forecast: Float = .nan
    public var anomaly: Float = .nan
    /// Rolling mean absolute error of the smallest horizon (or 1 − p(label)), over the last 256 judged forecasts.
    public var error: Float = .nan
    public var errorCount: UInt16 = 0
    public var boundaryCause = BoundaryCause.first
    /// Has changes that are not stored.
    public var isDirty = false
    /// What is stored, with the markers, comes to the slot as it is: stored anew only for the markers to go.
    public var isStale = false
    /// As restored: every input of the partition before `position`, every command before `control`, is in it. Only
    /// looked at while inputs are folded again.
    public var position: Offset = 0
    public var control: Offset = 0
    /// Nonconformity histogram (`training.md`, "Anomaly score").
    public var bins = AnomalyBins()

    public init() {}

    /// Whether an observation was ever applied: a slot without one is freed at the end of its batch.
    public var isUsed: Bool { time != .absent }

    /// Whether a slot can have come to these numbers, so that the fold's arithmetic on them cannot overflow.
    var isPlausible: Bool {
        (-1..<Offset.max).contains(fence) && fence < position && control >= 0 && (0..<Offset.max / 2).contains(step)
            && Timestamp.range.contains(time) && Timestamp.range.contains(boundaryTime)
            && errorCount <= ForecastPass.errorWindow && bins.isPlausible
    }
}
