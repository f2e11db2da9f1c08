package import SluiceCore

/// What becomes of streams whose inputs the log no longer holds, though their state needs them; and of those whose
/// state needs a model that is gone.
package enum LostInputPolicy: String, Sendable, CaseIterable {
    /// Stop and say so: nothing is predicted from a state with a hole in it.
    case fail
    /// Set those streams back to their initial state, and go on; with the model before one that is gone.
    case coldStart = "cold-start"
}

/// Where a partition begins of which the group has no position: `auto.offset.reset`.
package enum FirstOffset: Sendable {
    case earliest, latest
    /// Nowhere: it is refused.
    case none
}

/// What a worker must know that is not the fold's.
package struct WorkerSettings: Sendable {
    package var inputTopic: String
    /// Partitions of the input when the service started: more are refused, and states of another number of them.
    package var inputPartitions: Int
    package var controlTopic: String
    package var eventsTopic: String
    package var eventsPartitions: Int
    package var slotsTopic: String
    package var commitNanoseconds: Int64
    package var checkpointNanoseconds: Int64
    /// Inputs that replay may have to fold again, at most, besides those of one commit.
    package var replayRecordsMax: Offset = 1_000_000
    /// Dirty slots of a partition that go with a commit though their turn has not come, so that a log at rest is soon
    /// wholly stored.
    package var slotsMinimum = 64
    /// About the bytes of dirty slots that are encoded at a time: in memory they lie beside those slots, in the store's
    /// batch and, where they go to a changelog, in the producer's queue.
    package var changesBytes = 16 << 20
    /// At-least-once: bytes of dirty slots that are worth a synced write of the store; fewer wait for others.
    package var storeBytes = 4 << 20
    /// At-least-once: bytes of outputs that wait for the producer, besides those of one poll; beyond them nothing is
    /// taken in. What it has taken is kept in memory up to as many.
    package var openBytes = 4 << 20
    /// Slots of a partition written, and spilled ones looked at, with a commit at most so that markers can go.
    package var markedSlots = 1_024
    /// Slots of a partition that come through a command to all of it in one turn of the worker's loop, besides those
    /// that are heard of: a quarter of a millisecond.
    package var settledSlots = 512
    /// Milliseconds of event time behind which a stream is idle; nil: never.
    package var idleMilliseconds: Int64?
    /// Streams of the worker in memory, but for those that are not stored yet; nil: all of them.
    package var residentSlots: Int?
    package var lostInput = LostInputPolicy.fail
    package var firstOffset = FirstOffset.earliest
    /// How long the changelog keeps tombstones at least (`delete.retention.ms`): a store that is older than half of it
    /// is made anew.
    package var tombstonesMilliseconds: Int64 = 86_400_000
    /// Predictions kept per partition for people to look at.
    package var recentCapacity: Int

    /// Behind which commits count as stalled: no commit and no rebalance takes so long.
    var stalledNanoseconds: Int64 { max(30_000_000_000, 10 * min(commitNanoseconds, .max / 10)) }

    package init(
        inputTopic: String, inputPartitions: Int, controlTopic: String, eventsTopic: String,
        eventsPartitions: Int, slotsTopic: String = "", commitNanoseconds: Int64, checkpointNanoseconds: Int64,
        recentCapacity: Int = 4_096
    ) {
        self.inputTopic = inputTopic
        self.inputPartitions = inputPartitions
        self.controlTopic = controlTopic
        self.eventsTopic = eventsTopic
        self.eventsPartitions = eventsPartitions
        self.slotsTopic = slotsTopic
        self.commitNanoseconds = commitNanoseconds
        self.checkpointNanoseconds = checkpointNanoseconds
        self.recentCapacity = recentCapacity
    }
}
