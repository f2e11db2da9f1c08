package import SluiceCore
import SluiceLSTM
package import SluiceState

/// One partition as its owner holds it: its slots and how far it has come. Confined to the worker.
package final class PartitionState {
    package let partition: Int32
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
    @exclusivity(unchecked) package var schedule = CommandSchedule()
    package var savedNanoseconds: Int64?
    /// What was saved before is another model's: the next save holds every slot.
    package var isSavedByAnother = false
    @exclusivity(unchecked) package var recent: RecentRing

    package init(partition: Int32, fold: Fold, recentCapacity: Int) {
        self.partition = partition
        self.fold = fold
        table = SlotTable(layout: fold.layout, initialState: fold.specification.initialState)
        recent = RecentRing(capacity: recentCapacity)
    }

    /// Commands before it have taken effect: what a save or a commit may say.
    package var appliedControlOffset: Offset { min(controlOffset, schedule.pendingControlOffset) }

    /// Whether predictions are made, not only states rebuilt.
    package var isLive: Bool { position >= liveFrom }

    /// The version of the model at hand.
    package var model: String { fold.specification.model.manifest.version }

    /// Lets another model take over before the input at `offset`; its streams start from their initial states. Nothing
    /// if it is the one at hand.
    ///
    /// - Returns: how many streams it met.
    package func swap(to successor: Fold, at offset: Offset) -> Int {
        precondition(fold.count == 0, "a swap takes effect between batches")
        guard successor !== fold else { return 0 }
        table = SlotTable(
            swapping: table, of: fold.specification, to: successor.specification, at: offset)
        fold = successor
        isSavedByAnother = true
        return table.count
    }
}

/// What was lately predicted in a partition, for people; bounded, overwritten in turn.
package struct RecentRing {
    package struct Entry: Sendable {
        package var keyHash: UInt64
        package var offset: Offset
        package var time: EpochMilliseconds
        package var step: Int64
        /// First target's value (or the label), NaN where missing.
        package var value: Float
        package var forecast: Float
        /// The forecast's interval: the outer quantiles, or two deviations to either side; NaN for other heads.
        package var low: Float
        package var high: Float
        package var anomaly: Float
        /// The cause of the boundary it begins behind; nil within a run.
        package var boundary: BoundaryCause?
    }

    /// An observation's value, NaN where missing.
    package struct Point: Sendable, Equatable {
        package var offset: Offset
        package var value: Float
    }

    private var entries: [Entry] = []
    private let capacity: Int
    private var next = 0

    package init(capacity: Int) {
        self.capacity = capacity
    }

    @inline(__always)
    package mutating func add(_ entry: @autoclosure () -> Entry) {
        guard capacity > 0 else { return }
        if entries.count < capacity {
            entries.append(entry())
        } else {
            entries[next] = entry()
            next = next + 1 == capacity ? 0 : next + 1
        }
    }

    /// A stream's entries, oldest first, at most `limit` of the latest.
    package func entries(of keyHash: UInt64, limit: Int) -> [Entry] {
        let ordered = entries[next...] + entries[..<next]
        return ordered.filter { $0.keyHash == keyHash }.suffix(limit)
    }

    /// The latest values of several streams by the hash of their keys, each oldest first and at most `limit` of them.
    package func values(of keyHashes: Set<UInt64>, limit: Int) -> [UInt64: [Point]] {
        var found: [UInt64: [Point]] = [:]
        for entry in (entries[next...] + entries[..<next]).reversed() where keyHashes.contains(entry.keyHash) {
            if found[entry.keyHash, default: []].count == limit { continue }
            found[entry.keyHash, default: []].append(Point(offset: entry.offset, value: entry.value))
        }
        return found.mapValues { $0.reversed() }
    }
}
