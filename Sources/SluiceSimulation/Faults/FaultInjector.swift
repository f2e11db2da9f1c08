/// A fault that had an effect: its kind, and the call that it met where it is one at a call.
package struct Strike: Sendable, Hashable {
    package var kind: FaultKind
    package var call: FaultCall

    package init(_ kind: FaultKind, _ call: FaultCall = .any) { (self.kind, self.call) = (kind, call) }
}

/// Hands out the faults of a plan as their times and calls come, and counts those that had an effect.
package final class FaultInjector {
    private struct Condition: Hashable {
        var kind: FaultKind
        var process: Int
    }

    private var waiting: [Fault]
    private var atTimes: [Fault]
    /// False once everything is healed.
    package var isOn = true
    package private(set) var struck: [Strike: Int] = [:]
    /// Conditions that last, and that nothing has met so far.
    private var armed: Set<Condition> = []

    package init(_ plan: FaultPlan) {
        waiting = plan.faults.filter(\.kind.isAtCall)
        atTimes = plan.faults.filter { !$0.kind.isAtCall }
    }

    /// The fault that meets this call of a process now, at most one, under the call's name. Who obeys it counts it.
    package func take(_ call: FaultCall, process: Int, milliseconds: Int64) -> Fault? {
        guard isOn else { return nil }
        let index = waiting.firstIndex {
            $0.at <= milliseconds && $0.process == process
                && ($0.call == call || $0.call == .any && $0.kind.calls.contains(call))
        }
        guard let index else { return nil }
        var fault = waiting.remove(at: index)
        fault.call = call
        return fault
    }

    /// Faults of their own time that is now.
    package func due(milliseconds: Int64) -> [Fault] {
        guard isOn else { return [] }
        let due = atTimes.prefix { $0.at <= milliseconds }
        atTimes.removeFirst(due.count)
        return Array(due)
    }

    // MARK: - What had an effect

    package func strike(_ kind: FaultKind, _ call: FaultCall = .any) { struck[Strike(kind, call), default: 0] += 1 }

    /// From now on things are so; that counts once somebody meets it.
    package func arm(_ kind: FaultKind, process: Int = 0) { armed.insert(Condition(kind: kind, process: process)) }

    package func meet(_ kind: FaultKind, process: Int = 0) {
        if armed.remove(Condition(kind: kind, process: process)) != nil { strike(kind) }
    }

    package func hasStruck(_ kind: FaultKind) -> Bool { struck[Strike(kind)] != nil }
}
