/// Makes the list of faults of a failing run short: delta debugging (Zeller and Hildebrandt, 2002). A shorter list is
/// taken when the same invariant is broken with it.
package enum Shrinking {
    /// - Parameter runsMaximum: how many runs that may take.
    package static func shrink(_ outcome: Outcome, canary: Canary? = nil, runsMaximum: Int = 150) -> Outcome {
        guard let invariant = outcome.violation?.invariant else { return outcome }
        var best = outcome
        var runs = 0
        var size = max(1, best.plan.faults.count / 2)
        while !best.plan.faults.isEmpty && runs < runsMaximum {
            var start = 0
            var isShorter = false
            while start < best.plan.faults.count && runs < runsMaximum {
                var faults = best.plan.faults
                faults.removeSubrange(start..<min(start + size, faults.count))
                runs += 1
                let tried = Simulation(seed: outcome.seed, plan: FaultPlan(faults), canary: canary).run()
                if tried.violation?.invariant == invariant {
                    best = tried
                    isShorter = true
                } else {
                    start += size
                }
            }
            if size == 1 && !isShorter { break }
            size = max(1, size / 2)
        }
        return best
    }
}
