internal import SluiceLSTM
internal import SluiceNumerics

/// The LSTM and its head over a packed batch: takes in rows and their states, runs forward and backward in time.
///
/// P packed rows, B rows of the first step, O outputs.
final class RecurrentNetwork {
    let layout: NetworkLayout
    private(set) var batch = PackedBatch()
    let arithmetic: TrainingNetwork

    /// - Parameters:
    ///   - rows: B of the largest batch.
    ///   - steps: P of the largest batch.
    init(layout: NetworkLayout, rows: Int, steps: Int, threads: Int) {
        self.layout = layout
        let shape = layout.shape
        arithmetic = TrainingNetwork(
            inputs: shape.inputs, hidden: shape.hidden, layers: shape.layers, outputs: shape.outputs, rows: rows,
            steps: steps, learnsState: layout.initialH != nil, team: ThreadTeam(threads: threads))
    }

    /// `[P, O]`, and the gradient of the loss in them.
    var outputs: Floats { arithmetic.outputs }
    var outputGradient: Floats { arithmetic.outputGradient }

    /// Takes in a batch: its rows' inputs, and the states they start from.
    func load(_ rows: [BatchPlan.Row], of dataset: Dataset, states: LaneStates, parameters: ReadFloats) {
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
        let hidden = layout.shape.hidden
        for layer in 0..<layout.shape.layers {
            for (j, row) in batch.rows.enumerated() {
                let (h, c) = (arithmetic.h(layer: layer) + 16 * j, arithmetic.c(layer: layer) + 16 * j)
                if !row.resets {
                    spread(states.h(lane: row.lane, layer: layer), to: h, count: hidden)
                    spread(states.c(lane: row.lane, layer: layer), to: c, count: hidden)
                } else if let initialH = layout.initialH, let initialC = layout.initialC {
                    spread(parameters + initialH + layer * hidden, to: h, count: hidden)
                    spread(parameters + initialC + layer * hidden, to: c, count: hidden)
                } else {
                    spread(nil, to: h, count: hidden)
                    spread(nil, to: c, count: hidden)
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

    /// A row-major row, or zeros, into blocks of 16.
    private func spread(_ source: ReadFloats?, to target: Floats, count: Int) {
        let stride = arithmetic.stride
        var block = target
        for start in Swift.stride(from: 0, to: count, by: 16) {
            let here = min(16, count - start)
            if let source {
                block.update(from: source + start, count: here)
            } else {
                block.update(repeating: 0, count: here)
            }
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
