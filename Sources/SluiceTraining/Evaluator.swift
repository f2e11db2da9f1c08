internal import SluiceLSTM

/// Scores parameters on rows they were not trained on, with states of its own: nothing here is seen by training. `each`
/// is called after each batch.
struct Evaluator {
    let dataset: Dataset
    let manifest: ModelManifest
    let configuration: TrainingConfiguration

    /// With the learner's network, the training kind of forward pass.
    func evaluate(
        _ segments: [Segment], policy: CarryPolicy, with learner: Learner, each: () throws -> Void
    ) rethrows -> Evaluation {
        let plan = BatchPlan.inOrder(
            segments, policy: policy, order: configuration.order, chunk: configuration.chunk, rows: configuration.rows)
        let states = LaneStates(shape: learner.network.layout.shape, lanes: plan.lanes)
        var total = LossSum()
        for batch in plan.batches {
            total += learner.evaluate(batch, of: dataset, states: states)
            try each()
        }
        return Evaluation(total, manifest)
    }

    /// With the step kernel, the state set back before every chunk.
    func resetPerChunk(
        _ segments: [Segment], parameters: LSTMParameters, each: () throws -> Void
    ) rethrows -> Evaluation {
        var nothing: ForecastErrors?
        return try stepped(
            .perBatch(segments, chunk: configuration.chunk, rows: configuration.rows), parameters, &nothing, each: each)
    }

    /// With the step kernel, the state carried from each sequence's beginning: what `serve` would have answered.
    func carried(
        _ segments: [Segment], parameters: LSTMParameters, each: () throws -> Void
    ) rethrows -> Evaluation {
        var nothing: ForecastErrors?
        return try carried(segments, parameters: parameters, into: &nothing, each: each)
    }

    /// The same; beside the loss, the errors of each forecast, or the accuracy against the majority of `training`.
    func served(
        _ segments: [Segment], as part: ServedErrors.Part, training: [Segment], parameters: LSTMParameters,
        each: () throws -> Void
    ) rethrows -> (evaluation: Evaluation, errors: ServedErrors) {
        let season = manifest.head.classifies ? nil : dataset.season
        var forecasts: ForecastErrors? = manifest.head.classifies ? nil : ForecastErrors(manifest, season: season)
        let evaluation = try carried(segments, parameters: parameters, into: &forecasts, each: each)
        let errors = ServedErrors(
            part: part, horizons: forecasts?.horizons ?? [],
            nominalCoverage: ForecastErrors.nominalCoverage(manifest), season: season,
            classes: evaluation.accuracy.map {
                ServedErrors.Classes(
                    count: evaluation.count, accuracy: $0, majority: majority(of: training, among: segments))
            })
        return (evaluation, errors)
    }

    private func majority(of training: [Segment], among segments: [Segment]) -> Double {
        let (known, held) = (
            dataset.labels(training, configuration.lossAt), dataset.labels(segments, configuration.lossAt)
        )
        let label = known.max { ($0.value, $1.key) < ($1.value, $0.key) }?.key
        return Double(label.flatMap { held[$0] } ?? 0) / Double(held.values.reduce(0, +))
    }

    private func carried(
        _ segments: [Segment], parameters: LSTMParameters, into forecasts: inout ForecastErrors?,
        each: () throws -> Void
    ) rethrows -> Evaluation {
        let whole = segments.map { segment in
            let series = dataset.series[segment.series]
            var first = segment.rows.lowerBound
            while first > 0, !series.boundary[first] { first -= 1 }
            return Segment(
                series: segment.series, rows: first..<segment.rows.upperBound, scoredFrom: segment.scoredFrom)
        }
        return try stepped(
            .lanes(whole, chunk: configuration.chunk, rows: configuration.rows), parameters, &forecasts, each: each)
    }

    private func stepped(
        _ plan: BatchPlan, _ parameters: LSTMParameters, _ forecasts: inout ForecastErrors?, each: () throws -> Void
    ) rethrows -> Evaluation {
        let pass = SteppedPass(
            parameters, manifest: manifest, configuration: configuration, lanes: plan.lanes, steps: plan.stepsMax)
        var total = LossSum()
        for batch in plan.batches {
            total += pass.evaluate(batch, of: dataset, into: &forecasts)
            try each()
        }
        return Evaluation(total, manifest)
    }
}
