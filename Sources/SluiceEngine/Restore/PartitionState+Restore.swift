import SluiceCore
import SluiceSchema
import SluiceState

extension PartitionState {
    /// Takes up where a plan says.
    ///
    /// - Parameters:
    ///   - markers: the stored ones. Those before the first input of the replay bring older snapshots up to it, the
    ///     others are repeated.
    ///   - history: recorded commands, where the changelog does not hold them.
    func restore(_ plan: RestorePlan, markers stored: [Event], history: [Event], head: ChangelogHead?) {
        position = plan.replayFrom
        replayFrom = plan.replayFrom
        liveFrom = plan.liveFrom
        commandsFrom = plan.commandsFrom
        controlOffset = plan.controlOffset
        identity = plan.identity
        origin = plan.origin
        if !plan.lost.isEmpty { (lostFrom, lostBefore) = (plan.lost.lowerBound, plan.lost.upperBound) }
        latest = plan.latest
        storedMarkers = Set(stored.compactMap(\.control))
        for marker in stored.sorted(by: { ($0.control ?? 0) < ($1.control ?? 0) }) {
            if marker.offset <= plan.replayFrom { markers.append(marker) } else { schedule.add(marker) }
        }
        lastBeforeLoss = markers.compactMap(\.control).max() ?? -1
        for event in history {
            // Given again, it is the same command.
            if Self.holds(event, plan, head) { schedule.remember(event) } else { schedule.add(event) }
        }
        recordedControl = (history.compactMap(\.control).filter { $0 < plan.controlEnd }.max() ?? -1) + 1
    }

    /// Whether the saved state holds a command: what took effect before an input that it holds is in it, whether or not
    /// the life that saved it had come so far in the control partition.
    static func holds(_ event: Event, _ plan: RestorePlan, _ head: ChangelogHead?) -> Bool {
        guard let head else { return false }
        return event.control.map { $0 < head.control } ?? false || event.offset < plan.replayFrom
    }

    /// Takes a stored slot into memory, unless it is idle, has no room, or is another model's that takes over later in
    /// the replay: then it stays in the store, and comes when it is heard of.
    ///
    /// - Parameter committed: the first input that was not committed.
    /// - Returns: whether it may lack inputs that are gone, and begins cold.
    /// - Throws: `state-foreign` for a slot that holds more than that: it is another log's.
    func load(
        _ key: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer, idle: Int64?, resident: Int?, committed: Offset
    ) throws -> Bool {
        let summary = try Self.summary(value, of: key)
        guard summary.header.fence < committed else {
            throw SluiceError(
                .foreignState,
                "the state of a stream of partition \(partition) holds input \(summary.header.fence), but only inputs "
                    + "before \(committed) are committed",
                remedy: "something else has moved the group's position or changed the changelog: set it back, or begin "
                    + "anew under another application name")
        }
        let isIdle =
            idle.map { latest != .absent && latest - summary.header.time > $0 } ?? false
            || resident.map { table.count >= $0 } ?? false
        let isCold = isLost(summary)
        if let swap = schedule.lastSwap(before: summary.control) {
            swapsAhead.insert(swap)
            spilled += 1
        } else if isIdle {
            spilled += 1
            if isCold || !markers.isEmpty { catchingUp = CatchingUp() }
        } else {
            _ = try admit(value, summary)
        }
        return isCold
    }

    /// All that is stored has been looked at: what begins cold and is in memory counts as changed since the first input
    /// that is gone.
    func hasLoaded() { if catchingUp == nil { lostFrom = nil } }
}
