/// Hands out the faults of a plan as their times and calls come, and counts them.
package final class FaultInjector {
    private var waiting: [Fault]
    private var atTimes: [Fault]
    /// False once everything is healed.
    package var isOn = true
    package private(set) var injected: [FaultKind: Int] = [:]

    package init(_ plan: FaultPlan) {
        waiting = plan.faults.filter(\.kind.isAtCall)
        atTimes = plan.faults.filter { !$0.kind.isAtCall }
    }

    /// The fault that meets this call of a process now; at most one.
    package func take(_ call: FaultCall, process: Int, milliseconds: Int64) -> Fault? {
        guard isOn else { return nil }
        let index = waiting.firstIndex {
            $0.at <= milliseconds && $0.process == process && ($0.call == call || $0.call == .any)
        }
        guard let index else { return nil }
        let fault = waiting.remove(at: index)
        injected[fault.kind, default: 0] += 1
        return fault
    }

    /// Faults of their own time that is now.
    package func due(milliseconds: Int64) -> [Fault] {
        guard isOn else { return [] }
        let due = atTimes.prefix { $0.at <= milliseconds }
        atTimes.removeFirst(due.count)
        for fault in due { injected[fault.kind, default: 0] += 1 }
        return Array(due)
    }
}
