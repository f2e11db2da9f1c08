import SluiceCore
import SluiceLog
import SluiceState

/// An engine with a planted bug. The bug is planted around the real worker, in what it is given: a broken client, store
/// or model makes it break its promise as a bug of its own would.
package enum Canary: String, Sendable, CaseIterable {
    /// I1: behind a restart a partition goes on with another model of the same name.
    case otherModel
    /// I1: a restart folds again from the position, whatever was dirty then.
    case lateReplay
    /// I1: resets by prefix and swaps leave no marker, in the changelog or in the store: what was stored before them
    /// comes back as it was.
    case lostMarker
    /// I2: an output is produced twice in a transaction.
    case doubledOutput
    /// I2: a batch that is sent again, for its answer was lost, is appended again.
    case plainRetries
    /// I8: positions are committed before the transaction that they belong to. Inputs would be lost (I2) if the engine
    /// did not see that its state and the group's position disagree, and refuse.
    case earlyPositions
    /// I3: two outputs of a stream change places.
    case swappedOutputs
    /// I4: an observation is folded into another stream's slot.
    case mixedStreams
    /// I5: the record of a command is committed twice.
    case doubledEvent
    /// I6: the record of a swap says another offset than the one at which it took effect.
    case shiftedSwap
    /// I7: snapshots reach the changelog outside of their transaction.
    case looseSnapshots
    /// I8: the changelog is read to its last record, not to its end.
    case shortRestore
    /// I10: earlier states are rebuilt without the commands.
    case forgetfulRewind
    /// I11: all streams are loaded, whatever `state.streams_in_memory` says.
    case roomyRestore
    /// I9: what is flushed is not waited for.
    case hastyFlush

    /// What it breaks.
    package var invariant: Invariant {
        switch self {
        case .otherModel, .lateReplay, .lostMarker: .sameBits
        case .doubledOutput, .plainRetries: .oneOutcome
        case .swappedOutputs: .order
        case .mixedStreams: .ownState
        case .doubledEvent: .oneCommand
        case .shiftedSwap: .oneSwap
        case .looseSnapshots: .committedState
        case .shortRestore, .earlyPositions: .restoreEnds
        case .hastyFlush: .atLeastOnce
        case .forgetfulRewind: .earlierState
        case .roomyRestore: .boundedMemory
        }
    }

    /// Makes a scenario one in which it shows.
    func adapt(_ scenario: inout Scenario) {
        scenario.isExactlyOnce = self != .hastyFlush
        guard self == .lostMarker else { return }
        // Many streams, most of them on disk alone, come through a command slowly: until then they need its marker.
        (scenario.streams, scenario.residentSlots, scenario.slotsMinimum) = (40, 1, 1)
        (scenario.markedSlots, scenario.settledSlots, scenario.commitMilliseconds) = (1, 0, 1_000)
    }

    func wrap(_ producer: SimulatedTransactions, _ cluster: SimulatedCluster) -> (any TransactionalProducer)? {
        switch self {
        case .lateReplay, .lostMarker, .doubledOutput, .earlyPositions, .swappedOutputs, .doubledEvent, .shiftedSwap,
            .looseSnapshots:
            BrokenTransactions(producer, self, cluster)
        default: nil
        }
    }

    func wrap(_ producer: SimulatedProducer) -> (any LogProducer)? {
        self == .hastyFlush ? HastyProducer(producer) : nil
    }

    func wrap(_ consumer: SimulatedConsumer) -> (any LogConsumer)? {
        self == .mixedStreams ? MixingConsumer(consumer) : nil
    }

    func wrap(_ stores: SimulatedStores) -> (any PartitionStores)? {
        self == .lostMarker ? UnmarkedStores(stores) : nil
    }

    func wrap(_ reader: SimulatedReader) -> (any LogReader)? {
        self == .shortRestore ? ShortReader(reader) : nil
    }

    /// - Parameter reader: with which earlier states are rebuilt.
    func wrap(rewinding reader: SimulatedReader) -> (any LogReader)? {
        self == .forgetfulRewind ? ForgetfulReader(reader) : nil
    }
}
