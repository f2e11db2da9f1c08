internal import SluiceLSTM
internal import SluiceNumerics

/// The LSTM and its head over a packed batch, forward and backward in time, in one workspace that is allocated once.
///
/// P packed rows, B rows of the first step, I inputs, H units, O outputs; all matrices row-major. Products of a whole
/// chunk are one call each; only the hidden half of the gates goes step by step.
final class RecurrentNetwork {
    struct Layer {
        /// `[P, 4H]`: gate activations, after `backward` gradients of the pre-activations.
        let gates: Floats
        /// `[P, H]`; `previousH` is h one step earlier, row for row.
        let c, tanhC, h, previousH: Floats
        /// `[B, H]`: c before the first step.
        let firstC: Floats
    }

    let layout: NetworkLayout
    private let block: FloatBlock
    let layers: [Layer]
    /// `[P, I]`.
    let inputs: Floats
    /// `[P, O]`, and the gradient of the loss in them.
    let outputs, outputGradient: Floats
    /// `[P, H]`: gradients of h, of one layer and of the one below in turn.
    let hiddenGradients: [Floats]
    /// `[B, H]`: gradients of c and of the first h, running.
    let cellGradient, firstGradient: Floats
    private let initial: InitialStates
    /// nil while nothing is dropped.
    var dropout: Dropout?
    var batch = PackedBatch()

    /// - Parameters:
    ///   - rows: B of the largest batch.
    ///   - steps: P of the largest batch.
    init(layout: NetworkLayout, initial: InitialStates, rows: Int, steps: Int) {
        self.layout = layout
        self.initial = initial
        let shape = layout.shape
        let (hidden, narrow) = (steps * shape.hidden, rows * shape.hidden)
        let perLayer = [4 * hidden, hidden, hidden, hidden, hidden, narrow]
        let shared = [
            steps * shape.inputs, steps * shape.outputs, steps * shape.outputs, hidden, hidden, narrow, narrow,
        ]
        let block = FloatBlock(parts: (0..<shape.layers).flatMap { _ in perLayer } + shared)
        self.block = block
        layers = (0..<shape.layers).map { _ in
            Layer(
                gates: block.take(4 * hidden), c: block.take(hidden), tanhC: block.take(hidden), h: block.take(hidden),
                previousH: block.take(hidden), firstC: block.take(narrow))
        }
        inputs = block.take(steps * shape.inputs)
        outputs = block.take(steps * shape.outputs)
        outputGradient = block.take(steps * shape.outputs)
        hiddenGradients = [block.take(hidden), block.take(hidden)]
        cellGradient = block.take(narrow)
        firstGradient = block.take(narrow)
    }

    /// Takes in a batch: its rows' inputs, and the states they start from.
    ///
    /// - Parameter epoch: of training, for the draws of initial states; nil in evaluation.
    func load(
        _ rows: [BatchPlan.Row], of dataset: Dataset, states: LaneStates, parameters: ReadFloats, epoch: Int?
    ) {
        batch.pack(rows)
        let width = layout.shape.inputs
        for (j, row) in batch.rows.enumerated() {
            dataset.series[row.segment.series].inputs.withUnsafeBufferPointer { source in
                for (step, index) in row.rows.enumerated() {
                    let target = inputs + (batch.offsets[step] + j) * width
                    for feature in 0..<width { target[feature] = source[index * width + feature] }
                }
            }
        }
        let hidden = layout.shape.hidden
        for (index, layer) in layers.enumerated() {
            let learned = layout.learned(parameters, layer: index)
            for (j, row) in batch.rows.enumerated() {
                let (h, c) = (layer.previousH + j * hidden, layer.firstC + j * hidden)
                if !row.resets {
                    h.update(from: states.h(lane: row.lane, layer: index), count: hidden)
                    c.update(from: states.c(lane: row.lane, layer: index), count: hidden)
                } else {
                    initial.fill(
                        h, c, hidden: hidden, layer: index, learned: learned,
                        stream: dataset.series[row.segment.series].name, row: row.rows.lowerBound, epoch: epoch)
                }
            }
        }
    }

    /// Leaves each row's last state to its lane.
    func store(into states: LaneStates) {
        let hidden = layout.shape.hidden
        for (j, row) in batch.rows.enumerated() {
            let last = (batch.offsets[row.rows.count - 1] + j) * hidden
            for (index, layer) in layers.enumerated() {
                states.h(lane: row.lane, layer: index).update(from: layer.h + last, count: hidden)
                states.c(lane: row.lane, layer: index).update(from: layer.c + last, count: hidden)
            }
        }
    }

    /// `[P, …]`: what a layer sees: the inputs, or the h of the layer below with its dropout.
    func input(ofLayer index: Int) -> Floats {
        index == 0 ? inputs : dropout?.outputs[index - 1] ?? layers[index - 1].h
    }

    /// Fills `outputs [P, O]` for the batch taken in.
    func forward(parameters: ReadFloats) {
        let (hidden, count) = (layout.shape.hidden, batch.count)
        for (index, layer) in layers.enumerated() {
            let place = layout.layers[index]
            if index > 0 { dropout?.forward(layer: index - 1, h: layers[index - 1].h, rows: count) }
            TrainingKernels.fillRows(
                rows: count, count: 4 * hidden, a: parameters + place.biasIH, b: parameters + place.biasHH,
                out: layer.gates)
            BLAS.gemm(
                transposeA: false, transposeB: true, m: count, n: 4 * hidden, k: place.inputs, alpha: 1,
                a: input(ofLayer: index), lda: place.inputs, b: parameters + place.weightIH,
                ldb: place.inputs, beta: 1, c: layer.gates, ldc: 4 * hidden)
            for step in 0..<batch.steps {
                let (first, rows) = (batch.offsets[step] * hidden, batch.active[step])
                var previousC = layer.firstC
                if step > 0 {
                    let before = batch.offsets[step - 1] * hidden
                    (layer.previousH + first).update(from: layer.h + before, count: rows * hidden)
                    previousC = layer.c + before
                }
                BLAS.gemm(
                    transposeA: false, transposeB: true, m: rows, n: 4 * hidden, k: hidden, alpha: 1,
                    a: layer.previousH + first, lda: hidden, b: parameters + place.weightHH, ldb: hidden, beta: 1,
                    c: layer.gates + 4 * first, ldc: 4 * hidden)
                TrainingKernels.cellForward(
                    rows: rows, hidden: hidden, gates: layer.gates + 4 * first, previousC: previousC,
                    c: layer.c + first, tanhC: layer.tanhC + first, h: layer.h + first)
            }
        }
        let outputCount = layout.shape.outputs
        TrainingKernels.fillRows(
            rows: count, count: outputCount, a: parameters + layout.headBias, b: nil, out: outputs)
        BLAS.gemm(
            transposeA: false, transposeB: true, m: count, n: outputCount, k: hidden, alpha: 1,
            a: layers[layers.count - 1].h, lda: hidden, b: parameters + layout.headWeight, ldb: hidden, beta: 1,
            c: outputs, ldc: outputCount)
    }
}
