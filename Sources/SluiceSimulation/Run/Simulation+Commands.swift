import SluiceCore
import SluiceEngine
import SluiceLog
import SluiceSchema

/// Commands given so far.
struct Commands {
    var count = 0
    var last: (record: SimulatedRecord, partition: Int32)?
    /// States exported so far, by partition.
    var exports: [Int32: [[UInt8]]] = [:]
}

extension Simulation {
    /// A person gives a command to a partition.
    ///
    /// - Returns: whether there was one to give.
    func give(_ fault: Fault) throws -> Bool {
        let partition = Int32(fault.process % scenario.partitions)
        let log = try cluster.log(TopicPartition(topic: Topics.control, partition: partition))
        if fault.kind == .sameCommand {
            guard let last = commands.last else { return false }
            try cluster.log(TopicPartition(topic: Topics.control, partition: last.partition)).append([last.record])
            return true
        }
        if fault.kind == .move { export(partition) }
        let exports = commands.exports[partition] ?? []
        if fault.kind == .move && exports.isEmpty { return false }
        commands.count += 1
        var command = Command(
            id: "c\(commands.count)", target: nil, by: "simulation", time: cluster.wallMilliseconds)
        switch fault.kind {
        case .reset: command.target = .stream("stream-\(fault.amount)")
        case .resetPrefix: command.target = .prefix("stream-\(fault.amount % 10)")
        case .resetAll: command.target = .prefix("")
        case .move:
            command.type = .import
            // Mostly a stream that lives here; else one that no client sends here.
            let stream = Int(fault.amount) / scenario.partitions * scenario.partitions + Int(partition)
            command.target = .stream("stream-\(stream)")
            command.snapshot = cluster.random.pick(exports)
        default:
            command.type = .swap
            command.model = "v\(fault.amount % Int64(Models.count))"
        }
        var arena = ByteArena()
        let range = command.encode(into: &arena)
        let record = SimulatedRecord(
            key: nil, value: Array(arena.bytes(range)), timestamp: cluster.wallMilliseconds)
        try log.append([record])
        commands.last = (record, partition)
        return true
    }

    /// Exports some stream of a partition from whoever owns it now, or believes so. Who stands still is within a call,
    /// and answers nobody.
    private func export(_ partition: Int32) {
        let owners = processes.filter { !$0.isPaused }.flatMap(\.seats).compactMap { $0.worker?.partitions[partition] }
        guard let owner = cluster.random.pick(owners), owner.isLive else { return }
        let stream = cluster.random.below(scenario.streams) / scenario.partitions * scenario.partitions + Int(partition)
        guard let export = try? owner.export("stream-\(stream)") else { return }
        commands.exports[partition, default: []].append(export.snapshot)
    }
}
