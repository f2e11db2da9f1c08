/// What a search came to.
package struct TuningResult: Codable, Sendable, Equatable {
    /// What a trial was worth at the end of a rung.
    package struct Row: Codable, Sendable, Equatable {
        package let trial: TuningTrial
        /// Counted from 1.
        package let rung: Int
        /// Trained in all; fewer than the rung's where it stopped early or diverged.
        package let epochs: Int
        /// Of the validation rows, with the state carried as in service; nil: training diverged.
        package let loss: Double?

        package init(trial: TuningTrial, rung: Int, epochs: Int, loss: Double?) {
            self.trial = trial
            self.rung = rung
            self.epochs = epochs
            self.loss = loss
        }

        /// Within a rung: by loss, then by number; what diverged comes last.
        static func isBetter(_ a: Row, _ b: Row) -> Bool {
            (a.loss ?? .infinity, a.trial.number) < (b.loss ?? .infinity, b.trial.number)
        }
    }

    /// Rung by rung, the best of each first: a row for each trial that came so far; one at least.
    package let rows: [Row]

    init(rows: [Row]) { self.rows = rows }

    /// As far as a search has come.
    package init(_ record: TuningRecord) {
        rows = record.rows.sorted { $0.rung == $1.rung ? Row.isBetter($0, $1) : $0.rung < $1.rung }
    }

    /// The last row of each trial, those that came farthest first, the best before others; what diverged is last,
    /// however far it came.
    package var standings: [Row] {
        let last = Dictionary(grouping: rows, by: \.trial.number).compactMap { $0.value.max { $0.rung < $1.rung } }
        func place(_ row: Row) -> (Int, Int) { row.loss == nil ? (1, 0) : (0, -row.rung) }
        return last.sorted { place($0) == place($1) ? Row.isBetter($0, $1) : place($0) < place($1) }
    }

    /// The first of the standings.
    package var best: TuningTrial { standings[0].trial }
}

/// What a search has finished: kept after each trial of each rung, to go on from.
package struct TuningRecord: Codable, Sendable, Equatable {
    /// What the search is of, by name: each setting, the model's manifest and shape, the data, the number of trials.
    let identity: [String: String]
    /// In an order that does not depend on which was finished first.
    package private(set) var rows: [TuningResult.Row]

    init(identity: [String: String], rows: [TuningResult.Row] = []) {
        self.identity = identity
        self.rows = rows
    }

    subscript(trial: Int, rung rung: Int) -> TuningResult.Row? {
        rows.first { $0.trial.number == trial && $0.rung == rung }
    }

    mutating func add(_ row: TuningResult.Row) {
        rows.append(row)
        rows.sort { ($0.rung, $0.trial.number) < ($1.rung, $1.trial.number) }
    }
}
