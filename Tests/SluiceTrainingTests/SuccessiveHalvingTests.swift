import SluiceCore
import Synchronization
import Testing

@testable import SluiceTraining

/// The search over made-up trials, which cost nothing.
@Suite struct SuccessiveHalvingTests {
    /// A trial is worth the more the nearer its chunk is to 64 and its rate to 0.003, and the longer it trains.
    private static func worth(_ trial: TuningTrial, epochs: Int) -> Double {
        abs(Double(trial.chunk) - 64) / 64 + abs(trial.learningRate - 0.003) * 100 + 1 / Double(epochs)
    }

    private static func trials(_ count: Int, seed: UInt64 = 4) -> [TuningTrial] {
        (1...count).map { TuningTrial(number: $0, around: 32, seed: seed) }
    }

    /// What was measured, in the order of the ends.
    private final class Measured: Sendable {
        let rows = Mutex<[TuningResult.Row]>([])
    }

    private func search(
        _ trials: [TuningTrial], threads: Int = 1, from record: TuningRecord = TuningRecord(identity: [:]),
        measured: Measured = Measured(), diverging: Set<Int> = [],
        keep: (TuningRecord) throws -> Void = { _ in }, progress: (Tuner.Progress) -> Void = { _ in }
    ) throws -> TuningResult {
        let search = TuningSearch(trials: trials, epochs: 20, threads: threads) { trial, rung, _, tell in
            tell(Double(rung.epochs))
            let loss = diverging.contains(trial.number) ? nil : Self.worth(trial, epochs: rung.epochs)
            let row = TuningResult.Row(trial: trial, rung: rung.number, epochs: rung.epochs, loss: loss)
            measured.rows.withLock { $0.append(row) }
            return row
        }
        return try search.run(record, keep: keep, progress: progress)
    }

    @Test(arguments: [
        (1, 20, [1], [6]), (3, 20, [3], [6]), (9, 20, [9, 3], [2, 6]), (27, 27, [27, 9, 3], [1, 3, 9]),
        (10, 100, [10, 4, 2], [3, 11, 33]), (1_000, 5, [1_000], [1]), (9, 1, [9], [1]),
    ])
    func rungsTrebleTheEpochsForAThirdOfTheTrials(trials: Int, epochs: Int, entering: [Int], upTo: [Int]) {
        let rungs = SuccessiveHalving(trials: trials, epochs: epochs).rungs
        #expect(rungs.map(\.trials) == entering && rungs.map(\.epochs) == upTo)
    }

    @Test func theBestTrialGoesAllTheWayAndOnlyThirdsGoOn() throws {
        let trials = Self.trials(27)
        let measured = Measured()
        let result = try search(trials, measured: measured)
        let best = try #require(trials.min { Self.worth($0, epochs: 1) < Self.worth($1, epochs: 1) })
        #expect(result.best == best)
        #expect(result.rows.filter { $0.trial == best }.map(\.epochs) == [1, 2, 6])
        #expect([1, 2, 3].map { rung in result.rows.count { $0.rung == rung } } == [27, 9, 3])
        #expect(measured.rows.withLock { $0.count } == 39)
        #expect(result.standings.map(\.trial.number).sorted() == Array(1...27))
        #expect(result.standings.map(\.rung) == result.standings.map(\.rung).sorted(by: >))
    }

    @Test func howManyRunAtATimeMakesNoDifference() throws {
        let alone = try search(Self.trials(20))
        for threads in [2, 7, 50] { #expect(try search(Self.trials(20), threads: threads) == alone) }
    }

    @Test(arguments: 1...12)
    func resumedAfterAnyTrialIsAsUninterruptedAndMeasuresNothingTwice(interruptedAfter: Int) throws {
        struct Killed: Error {}
        let whole = try search(Self.trials(9), diverging: [2])
        var kept = TuningRecord(identity: [:])
        var count = 0
        #expect(throws: Killed.self) {
            _ = try search(
                Self.trials(9), diverging: [2],
                keep: {
                    kept = $0
                    count += 1
                    if count == interruptedAfter { throw Killed() }
                })
        }
        let rest = Measured()
        #expect(try search(Self.trials(9), threads: 2, from: kept, measured: rest, diverging: [2]) == whole)
        #expect(rest.rows.withLock { $0.count } == 12 - kept.rows.count)
    }

    @Test func whatDivergesIsLastAndDoesNotGoOn() throws {
        let trials = Self.trials(9)
        let best = try search(trials).best
        let result = try search(trials, diverging: [best.number])
        #expect(result.standings.last?.trial == best && result.standings.last?.loss == nil)
        #expect(result.best != best)
        #expect(result.rows.count { $0.trial == best } == 1)

        let none = try search(trials, diverging: Set(1...9))
        #expect(none.rows.count == 9 && none.standings.allSatisfy { $0.loss == nil })
    }

    @Test func aTrialThatDivergesLaterIsBehindThoseThatCameLessFar() {
        let trials = Self.trials(4)
        func row(_ trial: Int, _ rung: Int, _ loss: Double?) -> TuningResult.Row {
            TuningResult.Row(trial: trials[trial - 1], rung: rung, epochs: rung, loss: loss)
        }
        let result = TuningResult(rows: [row(3, 1, 1), row(1, 1, 2), row(4, 1, 3), row(2, 1, nil), row(3, 2, nil)])
        #expect(result.standings.map(\.trial.number) == [1, 4, 2, 3])
        #expect(result.best == trials[0])
    }

    @Test func progressGoesFromNothingToAll() throws {
        var shares: [Double] = []
        var rungs: [Int] = []
        _ = try search(
            Self.trials(9),
            progress: { progress in
                switch progress {
                case .epochs(let done, let all, _, _): shares.append(done / Double(all))
                case .rung(_, let count, let rows): rungs.append(count * 100 + rows.count)
                }
            })
        #expect(shares == shares.sorted() && shares.allSatisfy { $0 >= 0 } && shares.last == 1)
        #expect(rungs == [209, 203])
    }
}
