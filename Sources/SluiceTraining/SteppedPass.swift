internal import SluiceLSTM

/// The forward pass of service, one observation at a time through the step kernel, over the batches of a plan.
final class SteppedPass {
    private let stepper: LSTMStepper
    private let loss: HeadLoss
    private let placement: LossTargets
    private let initial: InitialStates
    private let block: FloatBlock
    /// `[lanes][L][h, c][paddedHidden]`.
    private let states: Floats
    private let inputs, next, outputs, targets: Floats
    private var places: [UnsafePointer<Float>]
    private var finite: [Bool]
    private var batch = PackedBatch()

    init(
        _ parameters: LSTMParameters, manifest: ModelManifest, configuration: TrainingConfiguration, lanes: Int,
        steps: Int
    ) {
        let shape = parameters.shape
        stepper = LSTMStepper(parameters)
        loss = HeadLoss(manifest)
        placement = LossTargets(manifest, configuration.lossAt)
        initial = InitialStates(Model(manifest: manifest, parameters: parameters))
        let counts = [
            lanes * shape.stateFloats, lanes * shape.inputs, lanes * shape.stateFloats, steps * shape.outputs,
            steps * loss.width,
        ]
        block = FloatBlock(parts: counts)
        states = block.take(counts[0])
        inputs = block.take(counts[1])
        next = block.take(counts[2])
        outputs = block.take(counts[3])
        targets = block.take(counts[4])
        places = []
        finite = [Bool](repeating: true, count: lanes)
    }

    /// The batch's loss; `forecasts` takes in what its scored rows answered.
    func evaluate(_ rows: [BatchPlan.Row], of dataset: Dataset, into forecasts: inout ForecastErrors?) -> LossSum {
        batch.pack(rows)
        let size = stepper.shape.stateFloats
        for row in batch.rows where row.resets {
            initial.draw(
                states + row.lane * size,
                dataset.serviceKey(ofSeries: row.segment.series, row: row.rows.lowerBound))
        }
        for step in 0..<batch.steps { advance(step, dataset) }
        placement.fill(batch, of: dataset, into: targets)
        if forecasts != nil { add(to: &forecasts, dataset) }
        return loss.evaluate(rows: batch.count, outputs: outputs, targets: targets, gradient: nil)
    }

    private func add(to forecasts: inout ForecastErrors?, _ dataset: Dataset) {
        for (j, row) in batch.rows.enumerated() {
            let series = dataset.series[row.segment.series]
            for (step, index) in row.rows.enumerated() where index >= row.segment.scoredFrom && series.warm[index] {
                forecasts?.add(
                    outputs + (batch.offsets[step] + j) * stepper.shape.outputs, of: series, row: index,
                    end: row.segment.rows.upperBound)
            }
        }
    }

    private func advance(_ step: Int, _ dataset: Dataset) {
        let (active, size, width) = (batch.active[step], stepper.shape.stateFloats, stepper.shape.inputs)
        places.removeAll(keepingCapacity: true)
        for j in 0..<active {
            let row = batch.rows[j]
            let source = (row.rows.lowerBound + step) * width
            let series = dataset.series[row.segment.series]
            for feature in 0..<width { inputs[j * width + feature] = series.inputs[source + feature] }
            places.append(UnsafePointer(states + row.lane * size))
        }
        stepper.step(
            rows: active, inputs: inputs, states: &places, next: next,
            outputs: outputs + batch.offsets[step] * stepper.shape.outputs, finite: &finite)
        // A step that is not finite leaves its slot unchanged, as in service; its loss shows.
        for j in 0..<active where finite[j] {
            (states + batch.rows[j].lane * size).update(from: next + j * size, count: size)
        }
    }
}
