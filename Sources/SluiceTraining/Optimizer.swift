internal import Glibc
internal import SluiceNumerics

/// SGD with momentum, Adam, AdamW and RMSprop as `torch.optim` defines them, with PyTorch's defaults for all that is no
/// setting: β₁ 0.9, β₂ 0.999, ε 1e-8, RMSprop's α 0.99; no dampening, Nesterov, centring or AMSGrad.
final class Optimizer {
    private static let (beta1, beta2, epsilon, alpha) = (0.9, 0.999, 1e-8, 0.99)

    private let kind: OptimizerKind
    private let momentum, weightDecay: Double
    private let count: Int
    private let block: FloatBlock
    /// Adam's mean or SGD's momentum, and the mean square.
    private let mean, square: Floats
    private(set) var updates = 0

    /// - Parameter count: of the parameters.
    init(_ configuration: TrainingConfiguration, count: Int) {
        kind = configuration.optimizer
        momentum = configuration.momentum
        weightDecay = configuration.weightDecay ?? configuration.optimizer.weightDecay
        self.count = count
        block = FloatBlock(parts: [count, count])
        mean = block.take(count)
        square = block.take(count)
    }

    /// `[2][count]`: all that it remembers, beside `updates`.
    var moments: [Float] {
        [mean, square].flatMap { moment in (0..<count).map { moment[$0] } }
    }

    /// Goes on from what another remembered.
    func restore(_ moments: [Float], updates: Int) {
        self.updates = updates
        for index in 0..<count { (mean[index], square[index]) = (moments[index], moments[count + index]) }
    }

    /// One update; `gradient` is used up.
    func update(_ parameters: Floats, gradient: Floats, learningRate: Double) {
        updates += 1
        if weightDecay > 0 { decay(parameters, gradient, learningRate) }
        switch kind {
        case .sgd: sgd(parameters, gradient, learningRate: Float(learningRate))
        case .rmsprop: rmsprop(parameters, gradient, learningRate: Float(learningRate))
        case .adam, .adamw:
            TrainingKernels.adam(
                count: count, gradient: gradient, mean: mean, square: square, parameters: parameters,
                beta1: Float(Self.beta1), beta2: Float(Self.beta2), epsilon: Float(Self.epsilon),
                stepSize: Float(learningRate / (1 - pow(Self.beta1, Double(updates)))),
                root: Float((1 - pow(Self.beta2, Double(updates))).squareRoot()))
        }
    }

    /// AdamW's is applied to the parameters, that of the others is part of the gradient.
    private func decay(_ parameters: Floats, _ gradient: Floats, _ learningRate: Double) {
        if kind == .adamw {
            TrainingKernels.scale(parameters, count: count, by: Float(1 - learningRate * weightDecay))
        } else {
            let weightDecay = Float(weightDecay)
            for index in 0..<count { gradient[index] += weightDecay * parameters[index] }
        }
    }

    private func sgd(_ parameters: Floats, _ gradient: Floats, learningRate: Float) {
        let momentum = Float(momentum)
        for index in 0..<count {
            mean[index] = momentum * mean[index] + gradient[index]
            parameters[index] -= learningRate * mean[index]
        }
    }

    private func rmsprop(_ parameters: Floats, _ gradient: Floats, learningRate: Float) {
        let (alpha, epsilon) = (Float(Self.alpha), Float(Self.epsilon))
        for index in 0..<count {
            square[index] = alpha * square[index] + (1 - alpha) * gradient[index] * gradient[index]
            parameters[index] -= learningRate * gradient[index] / (square[index].squareRoot() + epsilon)
        }
    }
}

extension OptimizerKind {
    /// PyTorch's default.
    fileprivate var weightDecay: Double { self == .adamw ? 0.01 : 0 }
}
