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
    /// A fault whose time has come.
    func apply(_ fault: Fault) throws {
        observer.say("fault \(fault)")
        let until = cluster.now + fault.amount * 1_000_000
        switch fault.kind {
        case .leave: try processes[fault.process % processes.count].leave(comesBackAfter: fault.amount)
        case .rebalance: cluster.group.rebalance()
        case .coordinatorMove: cluster.weather.coordinatorsAwayUntil = until
        case .brokerDown: cluster.weather.brokersAwayUntil = until
        case .outputBlocked: cluster.weather.outputBlockedUntil = until
        case .brokerSlow:
            cluster.weather.latency = 1_000_000...200_000_000
            cluster.after(fault.amount * 1_000_000) { [cluster] in
                cluster.weather.latency = SimulatedCluster.Weather().latency
            }
        case .slowMarks:
            cluster.weather.markDelay = 1_000_000...max(2_000_000, fault.amount * 1_000_000)
            cluster.after(4 * fault.amount * 1_000_000) { [cluster] in
                cluster.weather.markDelay = SimulatedCluster.Weather().markDelay
            }
        case .compaction: compact()
        case .retention: retain()
        case .retentionPast: absence = fault.amount
        case .hijack:
            let name = "pumps-p\(fault.process % processes.count)-w\(cluster.random.below(scenario.workers))"
            _ = try? cluster.transactions.initialise(name, timeout: 10_000_000_000)
        // Who goes on without what is lost puts the files back first: streams that begin anew for them, nobody counts.
        case .modelGone where lostInput == .coldStart, .modelDamaged where lostInput == .coldStart: break
        case .modelGone, .modelDamaged, .modelUnreadable:
            // One of them, or all.
            let one = cluster.random.below(Models.count + 1)
            for index in 0..<Models.count where one == index || one == Models.count {
                processes[fault.process % processes.count].disk.spoilModel(index, fault.kind, until: until)
            }
        case .diskFull: processes[fault.process % processes.count].disk.fullUntil = until
        case .bitFlip: processes[fault.process % processes.count].disk.corrupt(&cluster.random)
        case .misdirect: processes[fault.process % processes.count].disk.misdirect(&cluster.random)
        case .isolate: processes[fault.process % processes.count].life.isolatedUntil = until
        case .stall: processes[fault.process % processes.count].stall(until: until)
        case .wallJump: cluster.wallOffset += fault.amount
        case .grow:
            cluster.addTopic(Topics.input, partitions: 1)
            cluster.group.partitions += 1
            cluster.group.rebalance()
        case .growAway:
            for process in processes { try process.leave(comesBackAfter: fault.amount) }
            for topic in [Topics.input, Topics.control, Topics.predictions, Topics.slots] {
                cluster.addTopic(topic, partitions: 1)
            }
            cluster.group.partitions += 1
            inputPartitions += 1
        case .reset, .resetPrefix, .resetAll, .swap, .move, .sameCommand: try give(fault)
        default: break
        }
    }

    private func compact() {
        for log in cluster.topics[Topics.slots] ?? [] {
            log.compact(
                now: cluster.now, deleteRetention: scenario.tombstonesMilliseconds * 1_000_000,
                activeRecords: cluster.random.below(20))
        }
    }

    /// Inputs that nobody needs any more: those before where a replay would begin.
    private func retain() {
        for (index, log) in (cluster.topics[Topics.input] ?? []).enumerated() {
            guard let metadata = cluster.group.committed[Int32(index)]?.metadata else { continue }
            if let from = Self.replayFrom(metadata) { log.retain(from: from) }
        }
    }

    /// As soon as some state needs inputs that have been answered, all processes are away for so long that retention
    /// takes them.
    func goAway() {
        guard let milliseconds = absence, faults.isOn else { return }
        var isNeeded = false
        for (index, log) in (cluster.topics[Topics.input] ?? []).enumerated() {
            guard let committed = cluster.group.committed[Int32(index)],
                let from = Self.replayFrom(committed.metadata), max(from, log.low) < committed.offset
            else { continue }
            log.retain(from: cluster.random.within(max(from, log.low) + 1...committed.offset))
            isNeeded = true
        }
        guard isNeeded else { return }
        for process in processes { process.crash(comesBackAfter: milliseconds) }
        absence = nil
    }

    /// Where a replay would begin by what is committed.
    private static func replayFrom(_ metadata: String) -> Offset? {
        let parts = metadata.split(separator: " ")
        return parts.count > 1 ? Offset(parts[1]) : nil
    }

    /// A person gives a command to a partition.
    private func give(_ fault: Fault) throws {
        let partition = Int32(fault.process % scenario.partitions)
        let log = try cluster.log(TopicPartition(topic: Topics.control, partition: partition))
        if fault.kind == .sameCommand {
            guard let last = commands.last else { return }
            try cluster.log(TopicPartition(topic: Topics.control, partition: last.partition)).append([last.record])
            return
        }
        if fault.kind == .move { export(partition) }
        let exports = commands.exports[partition] ?? []
        if fault.kind == .move && exports.isEmpty { return }
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

    /// What is left to do, for people; nil when all is done.
    var unfinished: String? {
        for (index, log) in (cluster.topics[Topics.input] ?? []).enumerated() {
            guard log.lastStable == log.high else { return "an input transaction is open" }
            let committed = cluster.group.committed[Int32(index)]?.offset ?? log.low
            if log.archive[Int(min(committed, log.high))...].contains(where: { $0.isCommitted }) {
                let errors = processes.flatMap(\.errors).suffix(3).joined(separator: "; ")
                return "partition \(index) stands at \(committed) of \(log.high) (\(cluster.group.summary); "
                    + "errors: \(errors))"
            }
            // Retention may take all of a log at rest: no state may need anything of it, be it marks alone.
            let metadata = cluster.group.committed[Int32(index)]?.metadata
            let from = metadata.flatMap { Self.replayFrom($0) } ?? log.low
            if scenario.isExactlyOnce, canary == nil, from < log.high {
                return "a replay of partition \(index), which is at rest, begins at \(from) of \(log.high)"
            }
        }
        guard cluster.transactions.isQuiet else { return "a transaction is open" }
        guard let history = try? History(cluster) else { return "something is there that nobody can read" }
        let answered = Set(history.events.map(\.id))
        return history.mustAnswer.first { !answered.contains($0) }.map { "the command \($0) is not answered" }
    }
}
