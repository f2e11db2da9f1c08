internal import SluiceNumerics

/// Adam as `torch.optim.Adam` defines it: β₁ 0.9, β₂ 0.999, ε 1e-8, no weight decay.
final class Adam {
    private static let (beta1, beta2, epsilon) = (0.9, 0.999, 1e-8)

    private let count: Int
    private let learningRate: Double
    private let block: FloatBlock
    private let mean, square: Floats
    private var beta1Power = 1.0
    private var beta2Power = 1.0

    init(count: Int, learningRate: Double) {
        self.count = count
        self.learningRate = learningRate
        block = FloatBlock(parts: [count, count])
        mean = block.take(count)
        square = block.take(count)
    }

    func update(_ parameters: Floats, gradient: ReadFloats) {
        beta1Power *= Self.beta1
        beta2Power *= Self.beta2
        TrainingKernels.adam(
            count: count, gradient: gradient, mean: mean, square: square, parameters: parameters,
            beta1: Float(Self.beta1), beta2: Float(Self.beta2), epsilon: Float(Self.epsilon),
            stepSize: Float(learningRate / (1 - beta1Power)), root: Float((1 - beta2Power).squareRoot()))
    }
}
