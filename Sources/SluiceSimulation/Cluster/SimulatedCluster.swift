package import SluiceCore
import SluiceLog

/// A Kafka cluster in memory, of which only the observable semantics are there: topics, a transaction coordinator, a
/// group coordinator. Its time moves when somebody waits, and everything that is due then happens in order.
///
/// Confined to one thread; the same calls in the same order give the same answers.
package final class SimulatedCluster {
    private struct Event {
        var time: Int64
        var ordinal: Int
        var body: () -> Void
    }

    /// How the cluster behaves at the moment; faults change it for a while. Nanoseconds.
    package struct Weather {
        /// One way of a request.
        package var latency: ClosedRange<Int64> = 200_000...2_000_000
        /// From the decision of a transaction to its mark in a partition.
        package var markDelay: ClosedRange<Int64> = 300_000...5_000_000
        /// Until then coordinators answer NOT_COORDINATOR.
        package var coordinatorsAwayUntil: Int64 = 0
        /// Until then brokers answer nothing.
        package var brokersAwayUntil: Int64 = 0
        /// Until then nothing can be produced.
        package var outputBlockedUntil: Int64 = 0
        package init() {}
    }

    /// Nanoseconds since the run began.
    package private(set) var now: Int64 = 0
    /// What the wall clock says beyond that, in milliseconds.
    package var wallOffset: Int64 = 1_700_000_000_000
    package var random: SimulationRandom
    package var weather = Weather()
    package private(set) var topics: [String: [PartitionLog]] = [:]
    package private(set) lazy var transactions = TransactionCoordinator(self)
    package private(set) lazy var group = GroupCoordinator(self)
    /// `max.message.bytes` of topics that have one: a batch that takes more is refused.
    package var messageBytesMax: [String: Int] = [:]
    /// Called when a request meets the weather that a fault has made.
    package var onMeet: (FaultKind) -> Void = { _ in }
    /// Called whenever time has moved, before what is due then.
    package var onTick: () -> Void = {}
    /// How many more calls and waits there may be.
    var stepsLeft = Int.max
    var isExhausted: Bool { stepsLeft <= 0 }
    private var events: [Event] = []
    private var ordinal = 0
    private var isAdvancing = false

    package init(seed: UInt64) { random = SimulationRandom(seed: seed) }

    package var wallMilliseconds: Int64 { wallOffset + now / 1_000_000 }
    /// Whether no broker answers a request now.
    package var isAway: Bool { meets(.brokerDown, until: weather.brokersAwayUntil) }
    package var areCoordinatorsAway: Bool { isAway || meets(.coordinatorMove, until: weather.coordinatorsAwayUntil) }
    var isOutputBlocked: Bool { meets(.outputBlocked, until: weather.outputBlockedUntil) }

    private func meets(_ kind: FaultKind, until end: Int64) -> Bool {
        guard now < end else { return false }
        onMeet(kind)
        return true
    }

    package func addTopic(_ name: String, partitions: Int) {
        topics[name, default: []] += (0..<partitions).map { _ in PartitionLog() }
    }

    package func log(_ partition: TopicPartition) throws(BrokerError) -> PartitionLog {
        guard let logs = topics[partition.topic], logs.indices.contains(Int(partition.partition)) else {
            throw .unknownPartition
        }
        return logs[Int(partition.partition)]
    }

    /// Whether a topic takes the records as one batch.
    ///
    /// - Throws: `MSG_SIZE_TOO_LARGE`.
    func admit(_ records: some Collection<SimulatedRecord>, to topic: String) throws(BrokerError) {
        guard let limit = messageBytesMax[topic] else { return }
        let header = RecordSize.batchHeader
        let bytes = records.reduce(header) { $0 + $1.size.bytes - header }
        if bytes > limit { throw .messageTooLarge }
    }

    /// Does something later.
    package func after(_ nanoseconds: Int64, _ body: @escaping () -> Void) {
        ordinal += 1
        let event = Event(time: now + max(0, nanoseconds), ordinal: ordinal, body: body)
        var (low, high) = (0, events.count)
        // Latest first, so that the next is taken from the end.
        while low < high {
            let middle = (low + high) / 2
            if (events[middle].time, events[middle].ordinal) > (event.time, event.ordinal) {
                low = middle + 1
            } else {
                high = middle
            }
        }
        events.insert(event, at: low)
    }

    /// One way of a request now.
    package func latency() -> Int64 {
        if weather.latency != Weather().latency { onMeet(.brokerSlow) }
        return random.within(weather.latency)
    }

    func markDelay() -> Int64 {
        if weather.markDelay != Weather().markDelay { onMeet(.slowMarks) }
        return random.within(weather.markDelay)
    }

    func spend() { stepsLeft -= 1 }

    /// Lets time pass, with all that is due in it.
    package func advance(_ nanoseconds: Int64) {
        spend()
        precondition(!isAdvancing, "what happens by itself waits for nothing")
        isAdvancing = true
        defer { isAdvancing = false }
        let end = now + max(0, nanoseconds)
        while let next = events.last, next.time <= end {
            events.removeLast()
            if next.time > now { now = next.time }
            next.body()
        }
        now = end
        onTick()
        transactions.tick()
        group.tick()
    }

    /// Time of the next thing that happens by itself; nil when nothing is left.
    package var nextEvent: Int64? { events.last?.time }
}
