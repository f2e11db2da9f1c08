internal import CStepKernel

/// What training does to all parameters at once, vectorised. Every sum has a fixed order, so that a run repeats to the
/// bit.
public enum TrainingKernels {
    public typealias Floats = UnsafeMutablePointer<Float>
    public typealias Read = UnsafePointer<Float>

    /// The sum of squares, in double.
    public static func sumOfSquares(_ x: Read, count: Int) -> Double { unsafe sluice_train_sum_of_squares(count, x) }

    public static func scale(_ x: Floats, count: Int, by factor: Float) { unsafe sluice_train_scale(count, factor, x) }

    /// Adam as in `torch.optim.Adam`, with `stepSize` = lr / (1 − β₁ᵗ) and `root` = √(1 − β₂ᵗ).
    public static func adam(
        count: Int, gradient: Read, mean: Floats, square: Floats, parameters: Floats, beta1: Float, beta2: Float,
        epsilon: Float, stepSize: Float, root: Float
    ) {
        unsafe sluice_train_adam(
            count, gradient, mean, square, parameters, beta1, beta2, epsilon, stepSize, root)
    }
}
