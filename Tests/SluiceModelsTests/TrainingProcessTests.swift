import Foundation
import SluiceCore
import SluiceModels
import Synchronization
import Testing

/// The child's side is a shell here; `RetrainingTests` have a real one.
@Suite struct TrainingProcessTests {
    private func run(
        _ script: String, silenceSeconds: Double = 60, started: (Int32) -> Void = { _ in },
        isCancelled: () -> Bool = { false }, progress: (TrainingReport) -> Void = { _ in }
    ) throws -> TrainingReport {
        try TrainingProcess(executable: "/bin/sh", arguments: ["-c", script], silenceSeconds: silenceSeconds)
            .run(started: started, isCancelled: isCancelled, progress: progress)
    }

    private static let done =
        #"{"done":true,"version":"v2","stop":"completed","carried":{"loss":0.5,"count":9},"#
        + #""incumbent":{"loss":0.75,"count":9}}"#

    private func failure(_ body: () throws -> TrainingReport) -> SluiceError? {
        let error = #expect(throws: SluiceError.self) { try body() }
        #expect(error?.code == .trainingFailed && error?.retry == .later)
        return error
    }

    @Test func itsLastLineIsTheResultAndTheOthersAreProgress() throws {
        var seen: [String] = []
        let report = try run(
            """
            echo '{"phase":"reading"}'; echo noise; echo '{"epoch":3,"epochs":12}'; echo '\(Self.done)'
            """, progress: { seen.append($0.progress) })
        #expect(seen == ["reading", "epoch 3 of 12"])
        #expect(report.version == "v2" && report.carried?.loss == 0.5 && report.incumbent?.loss == 0.75)
    }

    @Test func aLossThatIsNoNumberIsNone() throws {
        let report = try run(#"echo '{"done":true,"version":"v","carried":{"loss":null,"count":3}}'"#)
        #expect(report.carried?.loss == nil && report.carried?.count == 3)
    }

    @Test func anExitCodeIsAFailureWithWhatItSaid() {
        let error = failure { try run("echo '\(Self.done)'; echo 'training diverged' >&2; exit 1") }
        #expect(error?.message.contains("exit code 1: training diverged") == true)
    }

    @Test func aKilledChildIsAFailure() {
        let error = failure { try run("kill -9 $$") }
        #expect(error?.message.contains("signal 9") == true)
    }

    @Test func aChildWithoutResultIsAFailure() {
        let error = failure { try run("echo '{\"epoch\":1}'") }
        #expect(error?.message.contains("without a result") == true)
    }

    @Test func aSilentChildIsKilled() {
        var id: Int32 = 0
        let error = failure { try run("exec sleep 600", silenceSeconds: 0.5, started: { id = $0 }) }
        #expect(error?.message.contains("said nothing") == true)
        #expect(kill(id, 0) == -1, "nothing is left of it")
    }

    @Test func aChildThatIgnoresTheRequestIsKilled() {
        var id: Int32 = 0
        #expect(throws: CancellationError.self) {
            try run("trap '' TERM; while :; do sleep 1; done", started: { id = $0 }, isCancelled: { true })
        }
        #expect(kill(id, 0) == -1)
    }

    @Test func itHasTheEnvironmentThatItIsGivenAndNoOther() throws {
        let process = TrainingProcess(
            executable: "/bin/sh", arguments: ["-c", #"echo "{\"done\":true,\"version\":\"$GIVEN$HOME\"}""#],
            environment: ["GIVEN": "v2"])
        #expect(try process.run(isCancelled: { false }, progress: { _ in }).version == "v2")
    }

    @Test func moreOutputThanAPipeHoldsIsRead() throws {
        let report = try run(
            """
            i=0; while [ $i -lt 3000 ]; do echo "noise noise noise noise noise noise $i" >&2; i=$((i+1)); done
            echo '\(Self.done)'
            """)
        #expect(report.version == "v2")
    }

    @Test func whatCannotBeStartedIsAFailure() {
        let error = #expect(throws: SluiceError.self) {
            try TrainingProcess(executable: "/nowhere/sluice", arguments: []).run(
                isCancelled: { false }, progress: { _ in })
        }
        #expect(error?.code == .trainingFailed)
    }
}

@Suite struct PromotionGateTests {
    private func report(_ loss: String, _ incumbent: String?) throws -> TrainingReport {
        let other = incumbent.map { ",\"incumbent\":{\"loss\":\($0),\"count\":1}" } ?? ""
        let text = "{\"done\":true,\"version\":\"v2\",\"carried\":{\"loss\":\(loss),\"count\":1}\(other)}"
        return try JSONDecoder().decode(TrainingReport.self, from: Data(text.utf8))
    }

    private func promotes(_ policy: PromotionGate.Policy, _ loss: String, _ incumbent: String?) throws -> Bool {
        if case .promote = PromotionGate.judge(policy, try report(loss, incumbent)) { return true }
        return false
    }

    @Test func onlyALowerLossIsBetter() throws {
        #expect(try promotes(.ifBetter, "0.4", "0.5"))
        #expect(try !promotes(.ifBetter, "0.5", "0.5"))
        #expect(try !promotes(.ifBetter, "0.6", "0.5"))
    }

    @Test func whatCannotBeComparedIsKept() throws {
        #expect(try !promotes(.ifBetter, "0.1", nil))
        #expect(try !promotes(.ifBetter, "null", "0.5"))
        #expect(try promotes(.ifBetter, "0.1", "null"), "an active model without a loss is no match")
    }

    @Test func theOtherPoliciesDoNotLook() throws {
        #expect(try promotes(.always, "9", "0.5"))
        #expect(try !promotes(.manual, "0.1", "0.5"))
    }
}
