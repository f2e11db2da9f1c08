internal import SluiceLSTM

/// Scores parameters on rows they were not trained on, with states of its own: nothing here is seen by training. `each`
/// is called after each batch.
struct Evaluator {
    let dataset: Dataset
    let manifest: ModelManifest
    let configuration: TrainingConfiguration

    /// With the learner's network, the training kind of forward pass.
    func evaluate(
        _ segments: [Segment], policy: CarryPolicy, with learner: Learner, each: () -> Void
    ) -> Evaluation {
        let plan = BatchPlan.inOrder(
            segments, policy: policy, order: configuration.order, chunk: configuration.chunk, rows: configuration.rows)
        let states = LaneStates(shape: learner.network.layout.shape, lanes: plan.lanes)
        var total = LossSum()
        for batch in plan.batches {
            total += learner.evaluate(batch, of: dataset, states: states)
            each()
        }
        return Evaluation(total, manifest)
    }

    /// Both sides of the carry gap, with the step kernel: what `serve` would have answered.
    func carryGap(_ segments: [Segment], parameters: LSTMParameters, each: () -> Void) -> CarryGap {
        CarryGap(
            resetPerChunk: stepped(
                .perBatch(segments, chunk: configuration.chunk, rows: configuration.rows), parameters, each: each),
            carried: carried(segments, parameters: parameters, each: each))
    }

    /// The state carried from each sequence's beginning, as in service.
    func carried(_ segments: [Segment], parameters: LSTMParameters, each: () -> Void) -> Evaluation {
        let whole = segments.map { segment in
            let series = dataset.series[segment.series]
            var first = segment.rows.lowerBound
            while first > 0, !series.boundary[first] { first -= 1 }
            return Segment(
                series: segment.series, rows: first..<segment.rows.upperBound, scoredFrom: segment.scoredFrom)
        }
        return stepped(.lanes(whole, chunk: configuration.chunk, rows: configuration.rows), parameters, each: each)
    }

    private func stepped(_ plan: BatchPlan, _ parameters: LSTMParameters, each: () -> Void) -> Evaluation {
        let pass = SteppedPass(
            parameters, manifest: manifest, configuration: configuration, lanes: plan.lanes, steps: plan.stepsMax)
        var total = LossSum()
        for batch in plan.batches {
            total += pass.evaluate(batch, of: dataset)
            each()
        }
        return Evaluation(total, manifest)
    }
}
