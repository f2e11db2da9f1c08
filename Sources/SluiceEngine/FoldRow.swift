import SluiceCore
import SluiceSchema
import SluiceState

/// One record of a batch on its way through the fold. Plain data; the partition is held by the worker meanwhile.
struct FoldRow {
    enum Outcome: UInt8 {
        /// To be stepped in its wave.
        case pending
        case prediction
        case reject
        /// Late, dropped by policy.
        case dropped
        /// The stream's end: its slot is cleared.
        case end
    }

    var partition: Unmanaged<PartitionState>
    /// The partition's: it changes between batches only.
    var table: Unmanaged<SlotTable>
    var offset: Offset
    var slot: UInt32 = .max
    var wave: UInt32 = 0
    /// Row of the decoder's columns; −1 for a record that was not decoded.
    var column: Int32 = -1
    /// Index of the record in the batch handed in.
    var record: Int32
    var outcome: Outcome
    var code: RejectCode = .late
    var boundary: BoundaryCause?
    var endsSequence = false
    /// Whether its outcome is to be produced; false while a restored partition folds again what was answered before.
    var isLive: Bool
    var judgement = ForecastPass.Judgement()
}
