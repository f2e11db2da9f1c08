internal import SluiceLSTM
internal import SluiceNumerics

/// The LSTM and its head over a packed batch: takes in rows and their states, runs forward and backward in time.
///
/// P packed rows, B rows of the first step, O outputs.
final class RecurrentNetwork {
    let layout: NetworkLayout
    private(set) var batch = PackedBatch()
    let arithmetic: TrainingNetwork
    private let start: RowStart
    private let dropout: Dropout?
    private let block: FloatBlock
    /// What has been drawn for a row, before it is spread: `[2, H]` h and c, or `[L − 1, H]` masks.
    private let drawn: Floats

    /// - Parameters:
    ///   - dropout: nil: nothing is dropped.
    ///   - rows: B of the largest batch.
    ///   - steps: P of the largest batch.
    init(
        layout: NetworkLayout, start: RowStart, dropout: Dropout?, rows: Int, steps: Int, threads: Int
    ) {
        self.layout = layout
        self.start = start
        let shape = layout.shape
        self.dropout = shape.layers > 1 ? dropout : nil
        block = FloatBlock(parts: [max(2, shape.layers) * shape.hidden])
        drawn = block.take(max(2, shape.layers) * shape.hidden)
        arithmetic = TrainingNetwork(
            inputs: shape.inputs, hidden: shape.hidden, layers: shape.layers, outputs: shape.outputs, rows: rows,
            steps: steps, learnsState: layout.initialH != nil, mayDrop: self.dropout != nil,
            team: ThreadTeam(threads: threads))
    }

    /// `[P, O]`, and the gradient of the loss in them.
    var outputs: Floats { arithmetic.outputs }
    var outputGradient: Floats { arithmetic.outputGradient }

    /// Takes in a batch: its rows' inputs, the states they start from, and what is dropped.
    ///
    /// - Parameter epoch: of training, for the draws of initial states and dropout; nil in evaluation.
    func load(
        _ rows: [BatchPlan.Row], of dataset: Dataset, states: LaneStates, parameters: ReadFloats, epoch: Int?
    ) {
        batch.pack(rows)
        arithmetic.take(active: batch.active, offsets: batch.offsets)
        let (width, first) = (layout.shape.inputs, arithmetic.inputs)
        for (j, row) in batch.rows.enumerated() {
            dataset.series[row.segment.series].inputs.withUnsafeBufferPointer { source in
                for (step, index) in row.rows.enumerated() {
                    spread(source.baseAddress! + index * width, to: first + 16 * placeAt(step, row: j), count: width)
                }
            }
        }
        for layer in 0..<layout.shape.layers {
            loadStates(layer, of: dataset, states: states, parameters: parameters, epoch: epoch)
        }
        drop(epoch: epoch)
    }

    private func loadStates(
        _ layer: Int, of dataset: Dataset, states: LaneStates, parameters: ReadFloats, epoch: Int?
    ) {
        let hidden = layout.shape.hidden
        let learned = layout.learned(parameters, layer: layer)
        for (j, row) in batch.rows.enumerated() {
            var (h, c) = (drawn, drawn + hidden)
            if row.resets {
                start.fill(
                    h, c, hidden: hidden, layer: layer, learned: learned,
                    start.key(of: row, in: dataset, epoch: epoch))
            } else {
                (h, c) = (states.h(lane: row.lane, layer: layer), states.c(lane: row.lane, layer: layer))
            }
            spread(h, to: arithmetic.h(layer: layer) + 16 * j, count: hidden)
            spread(c, to: arithmetic.c(layer: layer) + 16 * j, count: hidden)
        }
    }

    private func drop(epoch: Int?) {
        guard let dropout else { return }
        arithmetic.drops = epoch != nil
        guard let epoch else { return }
        let (hidden, below) = (layout.shape.hidden, layout.shape.layers - 1)
        for (j, row) in batch.rows.enumerated() {
            for (step, index) in row.rows.enumerated() {
                dropout.fill(drawn, count: below * hidden, series: row.segment.series, row: index, epoch: epoch)
                for layer in 0..<below {
                    let mask = arithmetic.mask(layer: layer) + 16 * placeAt(step, row: j)
                    spread(drawn + layer * hidden, to: mask, count: hidden)
                }
            }
        }
    }

    /// Leaves each row's last state to its lane.
    func store(into states: LaneStates) {
        let hidden = layout.shape.hidden
        for (j, row) in batch.rows.enumerated() {
            let last = 16 * placeAt(row.rows.count - 1, row: j)
            for layer in 0..<layout.shape.layers {
                gather(arithmetic.h(layer: layer) + last, into: states.h(lane: row.lane, layer: layer), count: hidden)
                gather(arithmetic.c(layer: layer) + last, into: states.c(lane: row.lane, layer: layer), count: hidden)
            }
        }
    }

    /// Fills `outputs [P, O]` for the batch taken in.
    func forward(parameters: ReadFloats) {
        arithmetic.forward(parameters: parameters)
    }

    /// Fills `gradient`, laid out as the parameters, from `outputGradient`, after `forward` on the same batch. What a
    /// row started from is constant, unless it is the learned initial state.
    func backward(parameters: ReadFloats, gradient: Floats) {
        arithmetic.backward(parameters: parameters, gradient: gradient)
        guard let initialH = layout.initialH, let initialC = layout.initialC else { return }
        let hidden = layout.shape.hidden
        for layer in 0..<layout.shape.layers {
            let (h, c) = (gradient + initialH + layer * hidden, gradient + initialC + layer * hidden)
            h.update(repeating: 0, count: hidden)
            c.update(repeating: 0, count: hidden)
            let (fromH, fromC) = (arithmetic.hGradient(layer: layer), arithmetic.cGradient(layer: layer))
            for (j, row) in batch.rows.enumerated() where row.resets {
                for unit in 0..<hidden {
                    let at = 16 * j + unit % 16
                    h[unit] += fromH[unit / 16 * arithmetic.stride + at]
                    c[unit] += fromC[unit / 16 * arithmetic.cellStride + at]
                }
            }
        }
    }

    /// Where the arithmetic has a row's step: after the B rows of first states.
    private func placeAt(_ step: Int, row: Int) -> Int { batch.rows.count + batch.offsets[step] + row }

    /// A row-major row into blocks of 16.
    private func spread(_ source: ReadFloats, to target: Floats, count: Int) {
        let stride = arithmetic.stride
        var block = target
        for start in Swift.stride(from: 0, to: count, by: 16) {
            block.update(from: source + start, count: min(16, count - start))
            block += stride
        }
    }

    private func gather(_ source: ReadFloats, into target: Floats, count: Int) {
        let stride = arithmetic.stride
        var block = source
        for start in Swift.stride(from: 0, to: count, by: 16) {
            (target + start).update(from: block, count: min(16, count - start))
            block += stride
        }
    }
}
