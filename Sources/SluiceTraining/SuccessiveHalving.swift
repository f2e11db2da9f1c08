/// The rungs of successive halving (Jamieson, Talwalkar 2016) with η = 3: all trials train for few epochs, the best
/// third of them for three times as many, and so on. The training of the one that is left, with all its epochs, is the
/// rung above the last.
struct SuccessiveHalving: Sendable, Equatable {
    struct Rung: Sendable, Equatable {
        /// Counted from 1.
        let number: Int
        /// That a trial has trained by its end, and that it had by the end of the rung below.
        let epochs, epochsBefore: Int
        /// That enter it, unless some diverged.
        let trials: Int

        /// That go on at most.
        var survivors: Int { SuccessiveHalving.third(of: trials) }
        /// Of all its trials.
        var work: Int { trials * (epochs - epochsBefore) }
    }

    static let factor = 3
    let rungs: [Rung]

    /// - Parameter epochs: of the training of the best.
    init(trials: Int, epochs: Int) {
        var budgets = [max(1, epochs / Self.factor)]
        var left = Self.third(of: trials)
        // With few epochs there are fewer rungs: two of the same number would say the same twice.
        while left > 1, budgets[0] > 1 {
            budgets.insert(max(1, budgets[0] / Self.factor), at: 0)
            left = Self.third(of: left)
        }
        left = trials
        var rungs: [Rung] = []
        for (index, budget) in budgets.enumerated() {
            rungs.append(
                Rung(number: index + 1, epochs: budget, epochsBefore: rungs.last?.epochs ?? 0, trials: left))
            left = Self.third(of: left)
        }
        self.rungs = rungs
    }

    /// Of all trials and rungs, in epochs.
    var work: Int { rungs.reduce(0) { $0 + $1.work } }

    static func third(of count: Int) -> Int { (count + factor - 1) / factor }
}
