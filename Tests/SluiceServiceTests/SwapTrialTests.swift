import Testing

@testable import SluiceService

/// How a service asks again for a swap that a partition did not make.
@Suite struct SwapTrialTests {
    @Test func aSwapThatFailsIsAskedForLaterAndUnderAnotherId() {
        let start = ContinuousClock.now
        var trial = ModelSwaps.Trial("a")
        #expect(trial.id(3) == "a/3" && trial.isDue(at: .now))
        var pauses: [Int] = []
        for failures in 1...12 {
            trial.failed(at: start)
            #expect(trial.id(3) == "a/3/\(failures)" && !trial.isDue(at: start))
            pauses.append((0...400).first { trial.isDue(at: start + .seconds($0)) } ?? -1)
        }
        #expect(pauses == [2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300, 300])
    }
}
