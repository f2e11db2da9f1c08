/// Goes up the rungs. It knows trials and what they are worth, not how they are trained.
struct TuningSearch: Sendable {
    /// Trains a trial up to the rung's epochs; tells how many it has trained.
    typealias Measure =
        @Sendable (
            _ trial: TuningTrial, _ rung: SuccessiveHalving.Rung, _ isStopped: @Sendable () -> Bool,
            _ tell: (Double) -> Void
        ) throws -> TuningResult.Row

    private let trials: [TuningTrial]
    private let halving: SuccessiveHalving
    private let threads: Int
    private let measure: Measure

    /// - Parameters:
    ///   - epochs: of the training of the best.
    ///   - threads: trials at a time.
    init(trials: [TuningTrial], epochs: Int, threads: Int, measure: @escaping Measure) {
        self.trials = trials
        halving = SuccessiveHalving(trials: trials.count, epochs: epochs)
        self.threads = threads
        self.measure = measure
    }

    /// - Parameter finished: is not measured again.
    /// - Throws: the first error of a measurement or of `keep`.
    func run(
        _ finished: TuningRecord, keep: (TuningRecord) throws -> Void, progress: (Tuner.Progress) -> Void
    ) throws -> TuningResult {
        var record = finished
        var rows: [TuningResult.Row] = []
        var entering = trials
        for rung in halving.rungs where !entering.isEmpty {
            let left = entering.filter { record[$0.number, rung: rung.number] == nil }
            let before = halving.rungs.prefix(rung.number - 1).reduce(0) { $0 + $1.work }
            let done = Double(before + (entering.count - left.count) * (rung.epochs - rung.epochsBefore))
            let atATime = min(threads, left.count)
            try TrialThreads.run(left.count, threads: atATime) { index, isStopped, tell in
                try measure(left[index], rung, isStopped) { tell(max(0, $0 - Double(rung.epochsBefore))) }
            } heard: { measured, told in
                for one in measured {
                    record.add(one.output)
                    try keep(record)
                }
                progress(.epochs(done + told, of: halving.work, rung: rung.number, atATime: atATime))
            }
            let own = entering.compactMap { record[$0.number, rung: rung.number] }.sorted(
                by: TuningResult.Row.isBetter)
            rows += own
            progress(.rung(rung.number, of: halving.rungs.count, own))
            entering = own.prefix(rung.survivors).filter { $0.loss != nil }.map(\.trial)
        }
        return TuningResult(rows: rows)
    }
}
