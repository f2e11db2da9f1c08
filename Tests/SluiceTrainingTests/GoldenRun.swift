import SluiceLSTM

@testable import SluiceTraining

/// This module's side of a golden: the same batches, in the same order.
struct GoldenRun {
    let dataset: Dataset
    let manifest: ModelManifest
    let start: LSTMParameters
    let plan: BatchPlan
    private let inputs: GoldenInputs

    init(_ arrangement: Arrangement, layers: Int, head: HeadKind, initial: InitialStateKind) throws {
        inputs = try GoldenInputs.all.get()
        manifest = GoldenInputs.manifest(head, initial)
        dataset = try inputs.dataset(manifest)
        start = inputs.start(manifest, layers: layers)
        plan = arrangement.plan(
            dataset.series.enumerated().flatMap { index, series in
                series.segments.map { Segment(series: index, rows: $0) }
            })
    }

    func learner(_ change: (inout TrainingConfiguration) -> Void) -> Learner {
        var configuration = TrainingConfiguration()
        configuration.seed = GoldenInputs.seed
        change(&configuration)
        return Learner(
            start, manifest: manifest, configuration: configuration, rows: GoldenInputs.rows,
            steps: GoldenInputs.rows * GoldenInputs.chunk)
    }

    /// Outputs, losses and the sum of the gradients of one pass that changes nothing.
    func onePass() -> (outputs: [Float], losses: [Float], gradient: [Float]) {
        let learner = learner { ($0.learningRate, $0.clip) = (0, 0) }
        let states = LaneStates(shape: start.shape, lanes: plan.lanes)
        var (outputs, losses): ([Float], [Float]) = ([], [])
        var gradient = [Float](repeating: 0, count: start.values.count)
        for batch in plan.batches {
            let loss = learner.step(batch, of: dataset, states: states, epoch: 0)
            outputs += learner.outputs(inOrderOf: batch)
            guard loss.count > 0 else { continue }
            losses.append(Float(loss.mean))
            for (index, value) in learner.lastGradient.enumerated() { gradient[index] += value }
        }
        return (outputs, losses, gradient)
    }

    /// The parameters after 50 updates, with the draws of one epoch after the other.
    func updated(_ change: (inout TrainingConfiguration) -> Void = { _ in }) -> [Float] {
        let learner = learner(change)
        var (updates, epoch) = (0, 0)
        while updates < GoldenInputs.updates {
            let states = LaneStates(shape: start.shape, lanes: plan.lanes)
            for batch in plan.batches where updates < GoldenInputs.updates {
                if learner.step(batch, of: dataset, states: states, epoch: epoch).count > 0 { updates += 1 }
            }
            epoch += 1
        }
        return learner.parameters.values
    }

    /// The largest error of a tensor, by its name.
    func errors(_ values: [Float], _ expected: [String: Tensor]) -> [String: Double] {
        Dictionary(
            uniqueKeysWithValues: start.tensors.map {
                ($0.name, relativeError(Array(values[$0.range]), expected[$0.name]?.values ?? []))
            })
    }
}

extension Learner {
    /// The outputs row after row, as PyTorch's loop has them.
    fileprivate func outputs(inOrderOf batch: [BatchPlan.Row]) -> [Float] {
        let width = network.layout.shape.outputs
        return batch.flatMap { row in
            let j = network.batch.rows.firstIndex { $0.lane == row.lane } ?? 0
            return row.rows.flatMap { step in
                let place = (network.batch.offsets[step - row.rows.lowerBound] + j) * width
                return (0..<width).map { network.outputs[place + $0] }
            }
        }
    }
}
