internal import CStepKernel

/// The element-wise half of training, vectorised; the products are `BLAS`'s. Shapes are row-major; every sum has a
/// fixed order, so that a run repeats to the bit.
package enum TrainingKernels {
    package typealias Floats = UnsafeMutablePointer<Float>
    package typealias Read = UnsafePointer<Float>

    /// One step of an LSTM layer after its gate products.
    ///
    /// - Parameters:
    ///   - gates: `[rows, 4H]` in order i, f, g, o: pre-activations in, activations out.
    ///   - previousC: `[rows, H]`, as are `c`, `tanhC` and `h`, which are written.
    package static func cellForward(
        rows: Int, hidden: Int, gates: Floats, previousC: Read, c: Floats, tanhC: Floats, h: Floats
    ) {
        unsafe sluice_train_cell_forward(InstructionSet.best.code, rows, hidden, gates, previousC, c, tanhC, h)
    }

    /// The same step backward.
    ///
    /// - Parameters:
    ///   - gates: activations in, gradients of the pre-activations out.
    ///   - dh: `[rows, H]`: the gradient of h.
    ///   - dc: `[rows, H]`: the gradient of c from the step after in, that of `previousC` out.
    package static func cellBackward(
        rows: Int, hidden: Int, gates: Floats, previousC: Read, tanhC: Read, dh: Read, dc: Floats
    ) {
        unsafe sluice_train_cell_backward(rows, hidden, gates, previousC, tanhC, dh, dc)
    }

    /// Every row of `out [rows, count]` becomes `a + b`.
    package static func fillRows(rows: Int, count: Int, a: Read, b: Read?, out: Floats) {
        unsafe sluice_train_fill_rows(rows, count, a, b, out)
    }

    /// Adds the sum of the rows of `x [rows, count]` to `out [count]`.
    package static func addColumnSums(rows: Int, count: Int, x: Read, out: Floats) {
        unsafe sluice_train_add_column_sums(rows, count, x, out)
    }

    /// In double.
    package static func sumOfSquares(_ x: Read, count: Int) -> Double { unsafe sluice_train_sum_of_squares(count, x) }

    package static func scale(_ x: Floats, count: Int, by factor: Float) { unsafe sluice_train_scale(count, factor, x) }

    /// Adam as in `torch.optim.Adam`, with `stepSize` = lr / (1 − β₁ᵗ) and `root` = √(1 − β₂ᵗ).
    package static func adam(
        count: Int, gradient: Read, mean: Floats, square: Floats, parameters: Floats, beta1: Float, beta2: Float,
        epsilon: Float, stepSize: Float, root: Float
    ) {
        unsafe sluice_train_adam(
            count, gradient, mean, square, parameters, beta1, beta2, epsilon, stepSize, root)
    }
}
