import SluiceCore
import SluiceLog
import Testing

@testable import SluiceEngine

/// The machine as a table of calls and the actions that follow.
@Suite struct TransactionMachineTests {
    private static let error = SluiceError(.broker, "no")

    private func failed(_ remedy: TransactionFailure.Remedy) -> TransactionAnswer {
        .failed(TransactionFailure(remedy, Self.error))
    }

    private func text(_ action: TransactionMachine.Action) -> String {
        switch action {
        case .wait: "wait"
        case .call(let step): "\(step)"
        case .committed: "committed"
        case .anew: "anew"
        }
    }

    private func idle() -> TransactionMachine {
        var machine = TransactionMachine()
        _ = machine.start()
        _ = machine.answered(.done)
        return machine
    }

    @Test func aTransactionGoesItsWay() {
        var machine = TransactionMachine()
        #expect(!machine.isInitialised)
        #expect(text(machine.start()) == "initialise")
        #expect(text(machine.answered(.done)) == "wait" && machine.isIdle && machine.isInitialised)
        for _ in 0..<3 {
            #expect(text(machine.send()) == "produce" && machine.isUnderway)
            #expect(text(machine.answered(.done)) == "wait" && machine.needsMembership)
            #expect(text(machine.joined()) == "sendPositions")
            #expect(text(machine.answered(.done)) == "commit")
            #expect(text(machine.answered(.done)) == "committed" && machine.isIdle && !machine.isUnderway)
        }
    }

    @Test func whatMayBeTriedAgainIsTheSameCall() {
        var machine = TransactionMachine()
        _ = machine.start()
        #expect(text(machine.answered(failed(.again))) == "initialise")
        _ = machine.answered(.done)
        _ = machine.send()
        #expect(text(machine.answered(failed(.again))) == "produce")
        _ = machine.answered(.done)
        _ = machine.joined()
        #expect(text(machine.answered(failed(.again))) == "wait")
        #expect(machine.needsMembership, "positions go in the name of the member as it is by then")
        _ = machine.joined()
        _ = machine.answered(.done)
        #expect(text(machine.answered(failed(.again))) == "commit")
        #expect(text(machine.answered(.done)) == "committed")
    }

    @Test func anAbortedTransactionIsSentAgainAsItWas() {
        for steps in 0..<3 {
            var machine = idle()
            _ = machine.send()
            if steps > 0 {
                _ = machine.answered(.done)
                _ = machine.joined()
            }
            if steps > 1 { _ = machine.answered(.done) }
            #expect(text(machine.answered(failed(.abort))) == "abort" && machine.isUnderway)
            #expect(text(machine.answered(failed(.again))) == "abort")
            #expect(text(machine.answered(.done)) == "produce")
        }
    }

    @Test func whatIsFatalOrIndefiniteMakesTheProducerAnew() {
        for steps in 0..<5 {
            var machine = TransactionMachine()
            _ = machine.start()
            if steps > 0 {
                _ = machine.answered(.done)
                _ = machine.send()
            }
            if steps > 1 {
                _ = machine.answered(.done)
                _ = machine.joined()
            }
            if steps > 2 { _ = machine.answered(.done) }
            if steps > 3 { _ = machine.answered(failed(.abort)) }
            #expect(text(machine.answered(failed(.anew))) == "anew")
            #expect(!machine.isInitialised && !machine.isIdle && !machine.isUnderway)
        }
    }

    @Test func neitherTriesNorAbortsGoOnForEver() {
        var machine = idle()
        _ = machine.send()
        var tries = 0
        while text(machine.answered(failed(.again))) == "produce" { tries += 1 }
        #expect(tries > 100 && tries <= 1_000)
        machine = idle()
        _ = machine.send()
        var aborts = 0
        while text(machine.answered(failed(.abort))) == "abort" {
            aborts += 1
            _ = machine.answered(.done)
        }
        #expect(aborts > 2 && aborts <= 10)
    }

    @Test func anAbortThatCannotBeDoneAndAnInitialisationThatMustBeAbortedAreFatal() {
        var machine = idle()
        _ = machine.send()
        _ = machine.answered(failed(.abort))
        #expect(text(machine.answered(failed(.abort))) == "anew")
        machine = TransactionMachine()
        _ = machine.start()
        #expect(text(machine.answered(failed(.abort))) == "anew")
    }
}
