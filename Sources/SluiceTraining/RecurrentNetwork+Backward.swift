internal import SluiceLSTM
internal import SluiceNumerics

extension RecurrentNetwork {
    /// Fills `gradient`, laid out as the parameters, from `outputGradient`, after `forward` on the same batch. What a
    /// row started from is constant, unless it is the learned initial state.
    func backward(parameters: ReadFloats, gradient: Floats) {
        let (hidden, outputCount, count) = (layout.shape.hidden, layout.shape.outputs, batch.count)
        gradient.update(repeating: 0, count: layout.count)
        let top = layers.count - 1
        BLAS.gemm(
            transposeA: true, transposeB: false, m: outputCount, n: hidden, k: count, alpha: 1, a: outputGradient,
            lda: outputCount, b: layers[top].h, ldb: hidden, beta: 0, c: gradient + layout.headWeight, ldc: hidden)
        TrainingKernels.addColumnSums(
            rows: count, count: outputCount, x: outputGradient, out: gradient + layout.headBias)
        BLAS.gemm(
            transposeA: false, transposeB: false, m: count, n: hidden, k: outputCount, alpha: 1, a: outputGradient,
            lda: outputCount, b: parameters + layout.headWeight, ldb: hidden, beta: 0, c: hiddenGradients[top % 2],
            ldc: hidden)
        for index in layers.indices.reversed() {
            throughTime(index, parameters: parameters, gradient: gradient)
            weightGradients(index, gradient: gradient)
            guard index > 0 else { continue }
            let place = layout.layers[index]
            BLAS.gemm(
                transposeA: false, transposeB: false, m: count, n: hidden, k: 4 * hidden, alpha: 1,
                a: layers[index].gates, lda: 4 * hidden, b: parameters + place.weightIH, ldb: hidden, beta: 0,
                c: hiddenGradients[(index - 1) % 2], ldc: hidden)
            dropout?.backward(layer: index - 1, gradient: hiddenGradients[(index - 1) % 2], rows: count)
        }
    }

    /// Turns the layer's gates into gradients of its pre-activations, last step first.
    private func throughTime(_ index: Int, parameters: ReadFloats, gradient: Floats) {
        let hidden = layout.shape.hidden
        let (layer, place, dh) = (layers[index], layout.layers[index], hiddenGradients[index % 2])
        // Rows enter as their last step is reached; until then their gradient of c is zero.
        cellGradient.update(repeating: 0, count: batch.rows.count * hidden)
        for step in (0..<batch.steps).reversed() {
            let (first, rows) = (batch.offsets[step] * hidden, batch.active[step])
            let before = step > 0 ? batch.offsets[step - 1] * hidden : 0
            TrainingKernels.cellBackward(
                rows: rows, hidden: hidden, gates: layer.gates + 4 * first,
                previousC: step > 0 ? layer.c + before : layer.firstC, tanhC: layer.tanhC + first, dh: dh + first,
                dc: cellGradient)
            guard step > 0 || layout.initialH != nil else { continue }
            BLAS.gemm(
                transposeA: false, transposeB: false, m: rows, n: hidden, k: 4 * hidden, alpha: 1,
                a: layer.gates + 4 * first, lda: 4 * hidden, b: parameters + place.weightHH, ldb: hidden,
                beta: step > 0 ? 1 : 0, c: step > 0 ? dh + before : firstGradient, ldc: hidden)
        }
        guard let initialH = layout.initialH, let initialC = layout.initialC else { return }
        for (j, row) in batch.rows.enumerated() where row.resets {
            TrainingKernels.addColumnSums(
                rows: 1, count: hidden, x: firstGradient + j * hidden, out: gradient + initialH + index * hidden)
            TrainingKernels.addColumnSums(
                rows: 1, count: hidden, x: cellGradient + j * hidden, out: gradient + initialC + index * hidden)
        }
    }

    private func weightGradients(_ index: Int, gradient: Floats) {
        let (hidden, count) = (layout.shape.hidden, batch.count)
        let (layer, place) = (layers[index], layout.layers[index])
        BLAS.gemm(
            transposeA: true, transposeB: false, m: 4 * hidden, n: place.inputs, k: count, alpha: 1, a: layer.gates,
            lda: 4 * hidden, b: input(ofLayer: index), ldb: place.inputs, beta: 0,
            c: gradient + place.weightIH, ldc: place.inputs)
        BLAS.gemm(
            transposeA: true, transposeB: false, m: 4 * hidden, n: hidden, k: count, alpha: 1, a: layer.gates,
            lda: 4 * hidden, b: layer.previousH, ldb: hidden, beta: 0, c: gradient + place.weightHH, ldc: hidden)
        TrainingKernels.addColumnSums(rows: count, count: 4 * hidden, x: layer.gates, out: gradient + place.biasIH)
        (gradient + place.biasHH).update(from: gradient + place.biasIH, count: 4 * hidden)
    }
}
