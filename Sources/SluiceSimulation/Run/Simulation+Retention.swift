import SluiceCore
import SluiceLog
import SluiceSchema

/// What is kept for a time only.
extension Simulation {
    /// Inputs that nobody needs any more: those before where a replay would begin.
    ///
    /// - Returns: whether there were some.
    func retain() -> Bool {
        (cluster.topics[Topics.input] ?? []).enumerated().reduce(false) { hasGone, item in
            guard let metadata = cluster.group.committed[Int32(item.offset)]?.metadata,
                let from = Self.replayFrom(metadata)
            else { return hasGone }
            return item.element.retain(from: from) || hasGone
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
            let hasGone = log.retain(from: cluster.random.within(max(from, log.low) + 1...committed.offset))
            isNeeded = hasGone || isNeeded
        }
        guard isNeeded else { return }
        faults.strike(.retentionPast)
        for process in processes { process.crash(comesBackAfter: milliseconds) }
        absence = nil
    }

    /// All processes are away until their sessions and transactions are over, and what the group, or the transaction
    /// coordinator, remembers of them is gone.
    func expire(_ fault: Fault) {
        guard cluster.now >= awayUntil else { return }
        let away = max(scenario.sessionMilliseconds, scenario.transactionMilliseconds) + 1_000 + fault.amount
        awayUntil = cluster.now + away * 1_000_000
        for process in processes { process.stayAway(for: away) }
        cluster.after((away - 10) * 1_000_000) { [unowned self] in
            guard faults.isOn, cluster.group.state == .empty, mayExpire else { return }
            let hasGone =
                fault.kind == .offsetsExpired ? cluster.group.expire() : cluster.transactions.expire()
            if hasGone { faults.strike(fault.kind) }
        }
    }

    /// At-least-once a partition in which nothing was ever commanded looks new where no store is there: what is
    /// commanded then takes effect among inputs that were answered before, and no engine can tell.
    private var mayExpire: Bool {
        guard !scenario.isExactlyOnce else { return true }
        let commanded = (try? History(cluster).events.map(\.partition)) ?? []
        return Set(commanded).isSuperset(of: cluster.group.committed.keys)
    }

    /// Where a replay would begin by what is committed.
    static func replayFrom(_ metadata: String) -> Offset? {
        let parts = metadata.split(separator: " ")
        return parts.count > 1 ? Offset(parts[1]) : nil
    }
}
