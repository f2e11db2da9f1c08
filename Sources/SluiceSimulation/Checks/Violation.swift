/// What the engine promises, checked on what readers with `read_committed` see.
package enum Invariant: String, Sendable, CaseIterable {
    /// I1: committed outputs are bit for bit those of a run without faults, given the same recorded commands.
    case sameBits = "I1"
    /// I2: every input has exactly one committed outcome.
    case oneOutcome = "I2"
    /// I3: outputs of a stream come in the order of its inputs.
    case order = "I3"
    /// I4: no stream reads another's state.
    case ownState = "I4"
    /// I5: a reset takes effect at one offset, once; every command is answered.
    case oneCommand = "I5"
    /// I6: a swap takes effect at one offset of a partition.
    case oneSwap = "I6"
    /// I7: a snapshot in the changelog holds committed inputs only, and is the slot to the bit.
    case committedState = "I7"
    /// I8: restoring ends, and work goes on once all is healed.
    case restoreEnds = "I8"
    /// I10: a state as of an earlier offset, rebuilt from the log, is the slot to the bit.
    case earlierState = "I10"
    /// I11: what was restored takes no more memory than it may.
    case boundedMemory = "I11"
    /// I9: at least once, nothing is lost, and what comes again is the same.
    case atLeastOnce = "I9"
}

/// One invariant that does not hold, with what shows it.
package struct Violation: Error, Sendable, CustomStringConvertible {
    package var invariant: Invariant
    package var message: String

    package init(_ invariant: Invariant, _ message: String) {
        self.invariant = invariant
        self.message = message
    }

    package var description: String { "\(invariant.rawValue) \(invariant): \(message)" }
}
