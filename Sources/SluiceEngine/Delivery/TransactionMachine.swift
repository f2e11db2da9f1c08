package import SluiceCore
package import SluiceLog

/// The life of a producer's transactions, one after the other: which call comes next, given how the last one ended.
/// Pure: the worker makes the calls.
package struct TransactionMachine {
    /// - fresh → initialising → idle → producing → joining → sending → committing → idle
    /// - producing, sending, committing → aborting → producing: the same bytes again
    /// - any → dead: the producer is to be made anew
    private enum State { case fresh, initialising, idle, producing, joining, sending, committing, aborting, dead }

    /// Calls in vain before nobody is expected to answer any more.
    private static let triesMaximum = 1_000
    /// Aborts of the same transaction before the fault counts as its own.
    private static let abortsMaximum = 8

    package enum Step: Equatable { case initialise, produce, sendPositions, commit, abort }

    package enum Action {
        /// Nothing to do before an answer, or a transaction to send, is there.
        case wait
        case call(Step)
        /// The transaction is in the log, with its positions.
        case committed
        /// The producer is of no use any more: nothing that was not committed counts, the log says what was.
        case anew(SluiceError)
    }

    private var state = State.fresh
    private var tries = 0
    private var aborts = 0

    package init() {}

    /// A transaction may be sent.
    package var isIdle: Bool { state == .idle }
    /// The producer's name is its own, and what its predecessor had under way is decided.
    package var isInitialised: Bool {
        switch state {
        case .fresh, .initialising, .dead: false
        default: true
        }
    }
    /// A transaction is under way: its outputs and positions must be kept.
    package var isUnderway: Bool {
        switch state {
        case .producing, .joining, .sending, .committing, .aborting: true
        default: false
        }
    }

    package mutating func start() -> Action {
        precondition(state == .fresh, "a producer is initialised once")
        state = .initialising
        return .call(.initialise)
    }

    /// Begins to send a transaction.
    package mutating func send() -> Action {
        precondition(state == .idle, "one transaction at a time")
        (state, tries, aborts) = (.producing, 0, 0)
        return .call(.produce)
    }

    /// Whether positions wait for the member to have a place in its group.
    package var needsMembership: Bool { state == .joining }

    /// The member has a place in its group: positions can be sent.
    package mutating func joined() -> Action {
        precondition(state == .joining, "positions follow outputs")
        state = .sending
        return .call(.sendPositions)
    }

    package mutating func answered(_ answer: TransactionAnswer) -> Action {
        switch answer {
        case .done: succeeded()
        case .failed(let failure): failed(failure)
        }
    }

    private mutating func succeeded() -> Action {
        if state != .producing { tries = 0 }
        switch state {
        case .initialising:
            state = .idle
            return .wait
        case .producing:
            state = .joining
            return .wait
        case .sending:
            state = .committing
            return .call(.commit)
        case .committing:
            state = .idle
            return .committed
        case .aborting:
            state = .producing
            return .call(.produce)
        case .fresh, .idle, .joining, .dead: preconditionFailure("an answer to no call")
        }
    }

    private mutating func failed(_ failure: TransactionFailure) -> Action {
        tries += 1
        switch (failure.remedy, state) {
        case (.again, .sending) where tries < Self.triesMaximum:
            // In the name of the member as it is by then.
            state = .joining
            return .wait
        case (.again, _) where tries < Self.triesMaximum:
            return .call(step)
        case (.abort, .producing), (.abort, .sending), (.abort, .committing):
            aborts += 1
            tries = 0
            guard aborts <= Self.abortsMaximum else { break }
            state = .aborting
            return .call(.abort)
        default: break
        }
        state = .dead
        return .anew(failure.error)
    }

    private var step: Step {
        switch state {
        case .initialising: .initialise
        case .producing: .produce
        case .committing: .commit
        case .aborting: .abort
        case .fresh, .idle, .joining, .sending, .dead: preconditionFailure("no call to be made again")
        }
    }
}
