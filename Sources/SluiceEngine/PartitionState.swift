package import SluiceCore
import SluiceLSTM
import SluiceSchema
package import SluiceState

/// One partition as its owner holds it: its slots, in memory and in the store, and how far it has come. Confined to the
/// worker.
package final class PartitionState {
    package let partition: Int32
    /// Where slots and markers are kept on this machine; nil for a fold that outlives nothing, such as `score`.
    let store: (any PartitionStore)?
    /// Makes the models of snapshots that are older than the one at hand.
    let folds: Folds?
    /// The model that folds the next input. Only a swap changes it.
    @exclusivity(unchecked) package private(set) var fold: Fold
    @exclusivity(unchecked) package private(set) var table: SlotTable
    /// The next input to be folded.
    @exclusivity(unchecked) package var position: Offset = 0
    /// Inputs before it were answered before a restart: they are folded again without output.
    @exclusivity(unchecked) package var liveFrom: Offset = 0
    /// First input before which a new command may take effect. What lies before it may have been answered in an earlier
    /// life without a commit to tell: those answers hold.
    package var commandsFrom: Offset = 0
    /// First input folded again after a restart, for progress.
    package var replayFrom: Offset = 0
    package var controlOffset: Offset = 0
    /// Behind the last command that was recorded before a restart.
    var recordedControl: Offset = 0
    /// Its control partition is read.
    var isControlled = false
    /// When its restoring began, and how many streams that brought; nil once it is told that it is live.
    var restoring: (began: Int64, streams: Int)?
    /// The group's position of it is where answers begin.
    var isCommitted = true
    @exclusivity(unchecked) package var schedule = CommandSchedule()
    /// Latest event time folded: idleness is measured from it.
    @exclusivity(unchecked) package var latest: EpochMilliseconds = .absent
    /// When some of what was dirty was stored last.
    package var savedNanoseconds: Int64?
    @exclusivity(unchecked) package var recent: RecentRing

    /// What becomes of streams whose state cannot be had.
    var lostInput = LostInputPolicy.fail
    /// Inputs before it were gone when it was restored, and streams that needed them begin cold.
    package internal(set) var lostBefore: Offset?
    /// The first of those inputs, while streams in the store alone may lack some and have not been set back: until the
    /// last of them is, a restart must know.
    var lostFrom: Offset?
    /// The last command to the whole partition that took effect before that, by its place in the control partition.
    var lastBeforeLoss: Offset = -1
    /// Where the changelog ends of which the store holds all.
    var changelogEnd: Offset = 0
    /// First input ever folded, where that is not the first of all.
    var origin: Offset?
    /// Names this log of state; made with the first commit of a partition.
    var identity = ""
    /// Streams that are in the store alone.
    @exclusivity(unchecked) package internal(set) var spilled = 0
    /// Commands to the whole partition that some stored slots may not hold yet, in the order in which they took effect.
    var markers: [Event] = []
    /// A command was taken whose id is not stored yet.
    var hasNewCommands = false
    /// Those of them that are not stored yet.
    var newMarkers: [Event] = []
    /// Places in the control partition of those that were stored when the partition was restored.
    var storedMarkers: Set<Offset> = []
    /// The most slots that were dirty at a time lately, and when that was.
    var mostDirty: (count: Int, nanoseconds: Int64) = (0, 0)
    /// Streams whose change is stored with the next commit: a command to one stream is not repeated by replay.
    var urgent: [[UInt8]] = []
    /// Streams whose stored state is of a model that is gone: they begin anew, which somebody should know.
    var cold: [String] = []
    /// How far the look at spilled slots has come that brings them up to the markers; nil: all hold all of them.
    var catchingUp: CatchingUp?
    struct CatchingUp {
        /// The last key looked at.
        var after: [UInt8]?
    }
    /// Keys whose tombstones are under way to the store.
    var droppedUnderway: [[UInt8]] = []
    /// While inputs are folded again: swaps to come, by their places in the control partition, that stored snapshots
    /// hold already. Nothing before those swaps is missing in them, and they stay in the store until then.
    @exclusivity(unchecked) var swapsAhead: Set<Offset> = []
    /// A reset by prefix that is on its way through the slots, and how many streams each has met that is through.
    var passing: Event?
    var met: [(event: Event, matched: Int)] = []
    /// The slot at which the sweep for idle streams goes on.
    var sweep: UInt32 = 0

    /// A partition that outlives nothing.
    package convenience init(partition: Int32, fold: Fold, recentCapacity: Int) {
        self.init(partition: partition, fold: fold, recentCapacity: recentCapacity, store: nil, folds: nil)
    }

    init(partition: Int32, fold: Fold, recentCapacity: Int, store: (any PartitionStore)?, folds: Folds?) {
        self.partition = partition
        self.fold = fold
        self.store = store
        self.folds = folds
        table = SlotTable(fold.specification)
        recent = RecentRing(capacity: recentCapacity)
    }

    /// Commands before it have taken effect: what a commit may say.
    package var appliedControlOffset: Offset { min(controlOffset, schedule.pendingControlOffset) }

    /// Whether `appliedControlOffset` tells of all that has taken effect. Not where a crash came between a command's
    /// record and the next commit, until the control partition is read again: what would be stored before could not say
    /// which commands it holds.
    var knowsCommands: Bool { controlOffset >= recordedControl }

    /// Whether predictions are made, not only states rebuilt.
    package var isLive: Bool { position >= liveFrom }

    /// The version of the model at hand.
    package var model: String { fold.specification.model.manifest.version }

    /// Streams, in memory or not.
    package var streams: Int { table.count + spilled }

    /// Where replay must begin for nothing to be missing from what is stored.
    var replayOffset: Offset { min(table.oldestChange ?? position, lostFrom ?? position, position) }

    /// Nothing is left to write, and no slot in the store lacks anything.
    var isAllStored: Bool { table.dirtyCount == 0 && !table.hasStale && catchingUp == nil }

    /// Lets another model take over before the input at `offset`; its streams start from their initial states. Nothing
    /// if it is the one at hand.
    ///
    /// - Parameter control: the command's place in the control partition.
    /// - Returns: how many streams it met.
    package func swap(to successor: Fold, at offset: Offset, control: Offset? = nil) -> Int {
        precondition(fold.count == 0, "a swap takes effect between batches")
        let isAnother = !successor.isSameModel(as: fold)
        if isAnother {
            settle()
            table = SlotTable(
                swapping: table, of: fold.specification, to: successor.specification, at: offset)
            fold = successor
        }
        if let control { swapsAhead.remove(control) }
        return isAnother ? streams : 0
    }
}
