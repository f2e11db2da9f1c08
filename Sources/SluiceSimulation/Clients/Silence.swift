import SluiceCore

/// FETCH requests of a client that bring nothing for a while, of one partition whose leader has moved or of all. Its
/// caller is told nothing: librdkafka asks again by itself.
struct Silence {
    private struct Cause {
        var fault: Fault
        var until: Int64
        /// Nil: all.
        var partition: TopicPartition?
        var hasStruck = false
    }

    private var causes: [Cause] = []

    /// - Parameter partitions: that the client reads now.
    mutating func add(_ fault: Fault?, of partitions: [TopicPartition], _ process: SimulatedProcess) {
        guard let fault, [.lost, .delayed, .refused].contains(fault.kind) else { return }
        let one = fault.kind == .refused ? process.cluster.random.pick(partitions) : nil
        causes.append(Cause(fault: fault, until: process.cluster.now + fault.amount * 1_000_000, partition: one))
    }

    /// Whether a partition brings nothing now; that counts when it has something.
    mutating func covers(
        _ partition: TopicPartition, _ process: SimulatedProcess, hasRecords: () -> Bool
    ) -> Bool {
        if !process.faults.isOn { causes.removeAll() }
        causes.removeAll { $0.until <= process.cluster.now }
        let index = causes.firstIndex { $0.partition == nil || $0.partition == partition }
        guard let index else { return false }
        if !causes[index].hasStruck && hasRecords() {
            causes[index].hasStruck = true
            process.strike(causes[index].fault)
        }
        return true
    }
}
