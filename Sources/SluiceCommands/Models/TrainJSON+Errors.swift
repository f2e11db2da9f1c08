internal import SluiceAdmin
internal import SluiceCore
internal import SluiceTraining

/// What the model is worth as served.
struct ErrorsDocument: JSONWritable {
    let errors: ServedErrors

    init(_ errors: ServedErrors) { self.errors = errors }

    func write(to json: inout JSONWriter) {
        json.object {
            $0.member("part", errors.part.rawValue)
            $0.member("season", errors.season)
            $0.member("nominal_coverage", errors.nominalCoverage)
            $0.member("naive_ratio", errors.naiveRatio)
            $0.member("horizons", errors.horizons.map { Horizon(one: $0, hasInterval: errors.nominalCoverage != nil) })
            $0.member("classes", errors.classes.map(Classes.init))
        }
    }

    private struct Horizon: JSONWritable {
        let one: HorizonError
        let hasInterval: Bool

        func write(to json: inout JSONWriter) {
            json.object {
                $0.member("target", one.target)
                $0.member("horizon", one.horizon)
                $0.member("count", one.count)
                $0.member("mae", one.meanAbsoluteError)
                $0.member("rmse", one.rootMeanSquareError)
                $0.member("naive_mae", one.naiveError)
                $0.member("seasonal_count", one.seasonalCount)
                $0.member("seasonal_naive_mae", one.seasonalError)
                $0.member("mae_where_seasonal", one.errorWhereSeasonal)
                $0.member("coverage", hasInterval ? one.coverage : nil)
            }
        }
    }

    private struct Classes: JSONWritable {
        let classes: ServedErrors.Classes

        init(_ classes: ServedErrors.Classes) { self.classes = classes }

        func write(to json: inout JSONWriter) {
            json.object {
                $0.member("count", classes.count)
                $0.member("accuracy", classes.accuracy)
                $0.member("majority", classes.majority)
            }
        }
    }
}

struct FoldDocument: JSONWritable {
    let fold: FoldResult
    let folds: Int

    init(_ fold: FoldResult, _ folds: Int) {
        self.fold = fold
        self.folds = folds
    }

    func write(to json: inout JSONWriter) {
        json.object {
            $0.member("fold", fold.fold)
            $0.member("folds", folds)
            $0.member("from", fold.from.map(Timestamp.text))
            $0.member("streams", fold.streams)
            $0.member("trained_on", fold.trainedRows)
            $0.member("measured_on", fold.testedRows)
            $0.member("epochs", fold.epochs)
            $0.member("best_epoch", fold.bestEpoch)
            $0.member("loss", fold.validation)
            $0.member("carried", EvaluationDocument(fold.carried))
            $0.member("naive_ratio", fold.naiveRatio)
        }
    }
}

/// Means and deviations over folds.
struct FoldsDocument: JSONWritable {
    let folds: [FoldResult]

    init(_ folds: [FoldResult]) { self.folds = folds }

    func write(to json: inout JSONWriter) {
        json.object {
            $0.member("count", folds.count)
            $0.member("loss", FoldSpread(folds.map(\.validation)).map(Spread.init))
            $0.member("carried", FoldSpread(folds.map(\.carried.loss)).map(Spread.init))
            $0.member("accuracy", FoldSpread(folds.map(\.carried.accuracy)).map(Spread.init))
            $0.member("naive_ratio", FoldSpread(folds.map(\.naiveRatio)).map(Spread.init))
        }
    }

    private struct Spread: JSONWritable {
        let spread: FoldSpread

        init(_ spread: FoldSpread) { self.spread = spread }

        func write(to json: inout JSONWriter) {
            json.object {
                $0.member("mean", spread.mean)
                $0.member("deviation", spread.deviation)
            }
        }
    }
}
