internal import SluiceLSTM
internal import SluiceNumerics

/// The parameters being trained and everything one batch needs: network, loss, clipping, optimizer. It knows nothing of
/// epochs, policies or files.
final class Learner {
    private let template: LSTMParameters
    private let block: FloatBlock
    let network: RecurrentNetwork
    private let loss: HeadLoss
    private let placement: LossTargets
    let optimizer: Optimizer
    private let clip: Double
    var learningRate: Double
    private let values, gradient, targets: Floats

    /// - Parameters:
    ///   - rows: B of the largest batch.
    ///   - steps: P of the largest batch.
    init(
        _ parameters: LSTMParameters, manifest: ModelManifest, configuration: TrainingConfiguration, rows: Int,
        steps: Int
    ) {
        template = parameters
        let layout = NetworkLayout(parameters)
        loss = HeadLoss(manifest)
        placement = LossTargets(manifest, configuration.lossAt)
        network = RecurrentNetwork(
            layout: layout, start: RowStart(manifest, seed: configuration.seed),
            dropout: configuration.dropout > 0
                ? Dropout(rate: configuration.dropout, seed: configuration.seed) : nil,
            rows: rows, steps: steps, threads: configuration.threads ?? ThreadTeam.cores)
        optimizer = Optimizer(configuration, count: layout.count)
        learningRate = configuration.learningRate
        clip = configuration.clip
        block = FloatBlock(parts: [layout.count, layout.count, steps * loss.width])
        values = block.take(layout.count)
        gradient = block.take(layout.count)
        targets = block.take(steps * loss.width)
        self.parameters = parameters
    }

    /// A copy of the parameters as they are, to keep or to replace.
    var parameters: LSTMParameters {
        get {
            var copy = template
            copy.values = Array(UnsafeBufferPointer(start: values, count: template.values.count))
            return copy
        }
        set {
            newValue.values.withUnsafeBufferPointer { source in
                for index in 0..<source.count { values[index] = source[index] }
            }
        }
    }

    /// The last batch's gradient, clipped and, but for AdamW, with its weight decay, laid out as the parameters.
    var lastGradient: [Float] { Array(UnsafeBufferPointer(start: gradient, count: template.values.count)) }

    /// Leaves nothing that could be taken for the outputs or the gradient of the next batch, of `steps` at most.
    func spoil(steps: Int) {
        gradient.update(repeating: .nan, count: template.values.count)
        for outputs in [network.outputs, network.outputGradient] {
            outputs.update(repeating: .nan, count: steps * template.shape.outputs)
        }
    }

    /// Forward only: the batch's loss; its rows' states go on in `states`.
    func evaluate(_ batch: [BatchPlan.Row], of dataset: Dataset, states: LaneStates) -> LossSum {
        forward(batch, of: dataset, states: states, epoch: nil)
    }

    /// One update, with the draws of that epoch.
    ///
    /// A batch in which all is masked changes states only. One whose loss or gradient is not finite changes no
    /// parameter: its loss sum is not finite then.
    func step(_ batch: [BatchPlan.Row], of dataset: Dataset, states: LaneStates, epoch: Int) -> LossSum {
        var total = forward(batch, of: dataset, states: states, epoch: epoch)
        guard total.count > 0, total.sum.isFinite else { return total }
        network.backward(parameters: values, gradient: gradient)
        let count = template.values.count
        let norm = TrainingKernels.sumOfSquares(gradient, count: count).squareRoot()
        guard norm.isFinite else {
            total.sum = .nan
            return total
        }
        // As torch.nn.utils.clip_grad_norm_.
        let factor = clip > 0 ? clip / (norm + 1e-6) : 1
        if factor < 1 { TrainingKernels.scale(gradient, count: count, by: Float(factor)) }
        optimizer.update(values, gradient: gradient, learningRate: learningRate)
        return total
    }

    /// - Parameter epoch: of training; nil in evaluation, which draws nothing and needs no gradient.
    private func forward(
        _ batch: [BatchPlan.Row], of dataset: Dataset, states: LaneStates, epoch: Int?
    ) -> LossSum {
        network.load(batch, of: dataset, states: states, parameters: values, epoch: epoch)
        network.forward(parameters: values)
        network.store(into: states)
        placement.fill(network.batch, of: dataset, into: targets)
        return loss.evaluate(
            rows: network.batch.count, outputs: network.outputs, targets: targets,
            gradient: epoch == nil ? nil : network.outputGradient)
    }
}
