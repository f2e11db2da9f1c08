extension FaultPlan {
    /// What a run may be met by: swarm testing (Groce et al., 2012) takes a random subset of the kinds for each run, so
    /// that no kind hides another, with weights that differ wildly.
    ///
    /// - Parameters:
    ///   - milliseconds: the time in which faults happen.
    ///   - kinds: those that make sense for the run.
    package init(
        seed: UInt64, milliseconds: Int64, processes: Int, partitions: Int, streams: Int, kinds: [FaultKind],
        isExactlyOnce: Bool = true
    ) {
        var random = SimulationRandom(seed: seed)
        let chosen = kinds.filter { $0.isCommand ? !random.once(in: 3) : random.once(in: 2) }
        let weights = chosen.map { _ in 1 << random.below(6) }
        let total = weights.reduce(0, +)
        let count = total == 0 ? 0 : [0, 3, 10, 30, 100][random.below(5)] + random.below(4)
        var faults: [Fault] = []
        for _ in 0..<count {
            var left = random.below(total)
            var index = 0
            while left >= weights[index] { left -= weights[index]; index += 1 }
            faults.append(
                Self.draw(
                    chosen[index], at: random.within(0...milliseconds), processes, partitions, streams, &random))
            let calls = chosen[index].calls(isExactlyOnce)
            let last = faults.count - 1
            // What never comes with this delivery, or is met without effect, is drawn elsewhere.
            if faults[last].call != .any, !calls.contains(faults[last].call) {
                faults[last].call = random.pick(calls) ?? .any
            }
        }
        self.init(faults)
    }

    /// What keeps a run's readers from reading, in one run of two.
    static func ofReading(seed: UInt64, milliseconds: Int64, processes: Int) -> [Fault] {
        var random = SimulationRandom(seed: seed)
        let count = random.once(in: 2) ? 0 : [1, 5, 20][random.below(3)]
        return (0..<count).map { _ in
            Fault(
                random.pick([.lost, .delayed, .refused]) ?? .lost, at: random.within(0...milliseconds),
                process: random.below(processes), call: random.pick(FaultCall.reading) ?? .poll,
                amount: random.once(in: 4) ? random.within(8_000...15_000) : random.within(1...2_000))
        }
    }

    private static func draw(
        _ kind: FaultKind, at: Int64, _ processes: Int, _ partitions: Int, _ streams: Int,
        _ random: inout SimulationRandom
    ) -> Fault {
        var fault = Fault(kind, at: at, process: random.below(processes))
        switch kind {
        case .crash, .crashAfter:
            fault.call = random.once(in: 3) ? .any : random.pick(FaultCall.allCases) ?? .any
            fault.amount = Int64(random.below(2))
        case .pause:
            fault.call = random.once(in: 3) ? .any : random.pick(FaultCall.allCases) ?? .any
            fault.amount = random.within(100...30_000)
        case .lost, .lostReply, .delayed, .duplicated, .refused, .fatal, .indefinite:
            fault.call = random.pick(FaultCall.transactional + [.plainCommit, .committed]) ?? .commit
            // The transaction's time-out is sometimes behind it.
            fault.amount = random.once(in: 4) ? random.within(8_000...15_000) : random.within(1...2_000)
        case .diskError: fault.call = random.pick(FaultCall.store) ?? .storeWrite
        case .syncError, .torn, .tornUnseen: fault.call = .storeWrite
        case .isolate, .stall, .modelGone, .modelDamaged, .modelUnreadable:
            fault.amount = random.within(100...30_000)
        case .leave, .coordinatorMove, .brokerDown, .brokerSlow, .slowMarks, .outputBlocked, .diskFull,
            .retentionPast, .offsetsExpired, .producersExpired:
            fault.amount = random.within(20...5_000)
        case .wallJump: fault.amount = random.within(-3_600_000...3_600_000)
        case .rebalance, .compaction, .retention, .hijack, .bitFlip, .misdirect, .grow, .growAway: break
        case .reset, .resetPrefix, .resetAll, .swap, .move, .sameCommand, .rewind:
            fault.process = random.below(partitions)
            fault.amount = Int64(random.below(streams))
        }
        return fault
    }
}
