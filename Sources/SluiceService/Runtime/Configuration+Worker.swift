import SluiceConfiguration
import SluiceEngine
import SluiceKafka

extension Configuration {
    /// What a worker must know of this configuration.
    func workerSettings(_ cluster: Cluster) -> WorkerSettings {
        var settings = WorkerSettings(
            inputTopic: cluster.topics.input, inputPartitions: cluster.inputPartitions,
            controlTopic: cluster.topics.control, eventsTopic: cluster.topics.events,
            eventsPartitions: cluster.eventsPartitions, slotsTopic: cluster.topics.slots,
            commitNanoseconds: commit.wholeMilliseconds * 1_000_000,
            checkpointNanoseconds: state.checkpoint.wholeMilliseconds * 1_000_000)
        settings.idleMilliseconds = state.idle.wholeMilliseconds
        settings.residentSlots = state.streamsInMemory.map { max(1, $0 / workers) }
        settings.lostInput = state.lostInput == .fail ? .fail : .coldStart
        settings.firstOffset =
            switch cluster.kafka.offsetReset {
            case .earliest: .earliest
            case .latest: .latest
            case .error: .none
            }
        settings.tombstonesMilliseconds = TopicPlan.tombstonesMilliseconds
        return settings
    }
}
