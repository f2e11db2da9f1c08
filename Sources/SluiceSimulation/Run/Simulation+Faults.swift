import SluiceCore
import SluiceEngine
import SluiceLog

extension Simulation {
    /// What a fault comes to when its time has come.
    private enum Effect {
        case none, done
        /// Things are so from now on, on one machine; it counts when somebody meets it.
        case lasts(on: Int)

        init(_ isDone: Bool) { self = isDone ? .done : .none }
    }

    /// A fault whose time has come.
    func apply(_ fault: Fault) throws {
        observer.say("fault \(fault)")
        let effect =
            switch fault.kind {
            case .coordinatorMove, .brokerDown, .outputBlocked, .brokerSlow, .slowMarks: change(fault)
            case .modelGone, .modelDamaged, .modelUnreadable, .diskFull, .bitFlip, .misdirect, .isolate, .stall:
                afflict(fault)
            case .reset, .resetPrefix, .resetAll, .swap, .move, .sameCommand: Effect(try give(fault))
            case .rewind: Effect(try rewind(fault))
            default: try befall(fault)
            }
        switch effect {
        case .none: break
        case .done: faults.strike(fault.kind)
        case .lasts(let process): faults.arm(fault.kind, process: process)
        }
    }

    /// The weather of the cluster.
    private func change(_ fault: Fault) -> Effect {
        let amount = fault.amount * 1_000_000
        switch fault.kind {
        case .coordinatorMove: cluster.weather.coordinatorsAwayUntil = cluster.now + amount
        case .brokerDown: cluster.weather.brokersAwayUntil = cluster.now + amount
        case .outputBlocked:
            // A member that waits for its output and loses its partitions meanwhile is not fenced either: what waited
            // comes behind what the next owner has recorded.
            let most = scenario.isExactlyOnce ? amount : min(amount, scenario.sessionMilliseconds * 1_000_000 / 4)
            cluster.weather.outputBlockedUntil = cluster.now + most
        case .brokerSlow:
            cluster.weather.latency = 1_000_000...200_000_000
            cluster.after(amount) { [cluster] in cluster.weather.latency = SimulatedCluster.Weather().latency }
        default:
            cluster.weather.markDelay = 1_000_000...max(2_000_000, amount)
            cluster.after(4 * amount) { [cluster] in cluster.weather.markDelay = SimulatedCluster.Weather().markDelay }
        }
        return .lasts(on: 0)
    }

    /// One machine or process.
    private func afflict(_ fault: Fault) -> Effect {
        let until = cluster.now + fault.amount * 1_000_000
        let process = processes[fault.process % processes.count]
        switch fault.kind {
        case .diskFull: process.disk.fullUntil = until
        case .bitFlip: if !process.disk.corrupt(&cluster.random) { return .none }
        case .misdirect: if !process.disk.misdirect(&cluster.random) { return .none }
        case .isolate: process.life.isolatedUntil = until
        case .stall: process.stall(until: until)
        // As above: the scenario may have come to go on without what is lost.
        case .modelGone where lostInput == .coldStart, .modelDamaged where lostInput == .coldStart: return .none
        default:
            // One of them, or all.
            let one = cluster.random.below(Models.count + 1)
            for index in 0..<Models.count where one == index || one == Models.count {
                process.disk.spoilModel(index, fault.kind, until: until)
            }
        }
        return .lasts(on: process.index)
    }

    /// All the others, which are done at once, or later by themselves.
    private func befall(_ fault: Fault) throws -> Effect {
        let process = processes[fault.process % processes.count]
        switch fault.kind {
        case .leave: return Effect(try process.leave(comesBackAfter: fault.amount))
        case .rebalance: return Effect(cluster.group.rebalance())
        case .compaction: return Effect(compact())
        case .retention: return Effect(retain())
        case .retentionPast: absence = fault.amount
        case .offsetsExpired, .producersExpired: expire(fault)
        case .hijack: hijack("pumps-p\(process.index)-w\(cluster.random.below(scenario.workers))")
        case .wallJump:
            cluster.wallOffset += fault.amount
            return .done
        case .grow:
            cluster.addTopic(Topics.input, partitions: 1)
            cluster.group.partitions += 1
            cluster.group.rebalance()
            return .done
        default:
            for process in processes { try process.leave(comesBackAfter: fault.amount) }
            for topic in [Topics.input, Topics.control, Topics.predictions, Topics.slots] {
                cluster.addTopic(topic, partitions: 1)
            }
            cluster.group.partitions += 1
            inputPartitions += 1
            return .done
        }
        return .none
    }

    /// Somebody else takes a worker's name, begins a transaction with a record that is no state, and is seen no more:
    /// the worker takes the name back, or the coordinator aborts what takes too long.
    private func hijack(_ name: String, tries: Int = 20) {
        let coordinator = cluster.transactions
        guard faults.isOn, coordinator.producer(name) != nil else { return }
        guard let made = try? coordinator.initialise(name, timeout: 10_000_000_000) else {
            // What the worker has under way is aborted first.
            if tries > 0 { cluster.after(20_000_000) { [weak self] in self?.hijack(name, tries: tries - 1) } }
            return
        }
        faults.strike(.hijack)
        let slots = TopicPartition(topic: Topics.slots, partition: Int32(cluster.random.below(scenario.partitions)))
        let stamp = ProducerStamp(producer: made.producer, epoch: made.epoch, sequence: 0, isTransactional: true)
        let record = SimulatedRecord(key: [0xFF, UInt8(ascii: "h")], value: [], timestamp: cluster.wallMilliseconds)
        try? coordinator.add(name, made.producer, made.epoch, partitions: [slots])
        _ = try? coordinator.produce(name, to: slots, [record], stamp)
    }

    private func compact() -> Bool {
        (cluster.topics[Topics.slots] ?? []).reduce(false) { hasGone, log in
            log.compact(
                now: cluster.now, deleteRetention: scenario.tombstonesMilliseconds * 1_000_000,
                activeRecords: cluster.random.below(20)) || hasGone
        }
    }
}
