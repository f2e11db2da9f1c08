import Foundation
import SluiceLSTM
import Testing

@testable import SluiceTraining

/// The tolerances are those of `training.md`, "What it must equal". With SLUICE_PARITY_TABLE set, the largest errors
/// are printed, a line for each arrangement and number of layers.
@Suite struct PyTorchParityTests {
    @Test(arguments: Arrangement.allCases, [1, 2])
    func eachHeadAndInitialStateEqualsPyTorch(_ arrangement: Arrangement, layers: Int) throws {
        let goldens = try Golden.cases(arrangement, layers: layers)
        var worst = ParityRow()
        for head in HeadKind.allCases {
            for initial in InitialStateKind.allCases {
                let name = "\(head.rawValue)-\(initial.rawValue)"
                let golden = try #require(goldens[name])
                let run = try GoldenRun(arrangement, layers: layers, head: head, initial: initial)
                let (outputs, losses, gradient) = run.onePass()
                worst.check("outputs", relativeError(outputs, golden.outputs.values), 1e-5, name)
                worst.check("loss", relativeError(losses, golden.losses.values), 1e-5, name)
                for (tensor, error) in run.errors(gradient, golden.gradients) {
                    worst.check("∂ " + ParityRow.kind(tensor), error, 1e-4, "\(name), \(tensor)")
                }
                for (tensor, error) in run.errors(run.updated(), golden.end) {
                    worst.check("parameters", error, 1e-3, "\(name), \(tensor)")
                }
            }
        }
        worst.print(arrangement, layers)
    }

    private static let optimizers: [(String, @Sendable (inout TrainingConfiguration) -> Void)] = [
        ("sgd", { ($0.optimizer, $0.learningRate) = (.sgd, 0.01) }),
        (
            "sgd-decay",
            { ($0.optimizer, $0.learningRate, $0.momentum, $0.weightDecay) = (.sgd, 0.01, 0.5, 0.1) }
        ),
        ("adam-decay", { $0.weightDecay = 0.1 }), ("adamw", { $0.optimizer = .adamw }),
        ("rmsprop", { $0.optimizer = .rmsprop }), ("dropout", { $0.dropout = 0.3 }),
    ]

    @Test(arguments: optimizers)
    func optimizersAndDropoutEqualPyTorch(
        _ name: String, _ change: @Sendable (inout TrainingConfiguration) -> Void
    ) throws {
        let golden = try #require(try Golden.optimizers().ends[name])
        let run = try GoldenRun(.lanes, layers: 2, head: .point, initial: .zero)
        for (tensor, error) in run.errors(run.updated(change), golden) {
            #expect(error < 1e-3, "\(name), \(tensor)")
        }
    }

    @Test(arguments: LearningRateSchedule.allCases)
    func schedulesEqualPyTorch(_ schedule: LearningRateSchedule) throws {
        let golden = try Golden.optimizers().schedules
        var configuration = TrainingConfiguration()
        (configuration.schedule, configuration.scheduleEpochs, configuration.scheduleFactor) = (schedule, 4, 0.3)
        configuration.epochs = 30
        var rate = LearningRate(configuration)
        var rates = [rate.value]
        for (epoch, loss) in golden.losses.enumerated() {
            rate.end(epoch: epoch + 1, loss: loss)
            rates.append(rate.value)
        }
        let constant = [Double](repeating: 1e-3, count: 30)
        #expect(relativeError(rates, golden.rates[schedule.rawValue] ?? constant) < 1e-12)
        #expect((Set(rates).count > 1) == (schedule != .constant))
    }
}

/// The largest error of each class of tensors.
private struct ParityRow {
    private var errors: [String: Double] = [:]

    mutating func check(_ kind: String, _ error: Double, _ tolerance: Double, _ what: String) {
        #expect(error < tolerance, "\(kind) of \(what)")
        errors[kind] = max(errors[kind] ?? 0, error)
    }

    static func kind(_ tensor: String) -> String {
        if tensor.hasPrefix("initial_state") { return "initial" }
        let name = tensor.replacing(#/_l\d/#, with: "").replacing("lstm.", with: "")
        return name.hasPrefix("bias") ? "bias" : name
    }

    func print(_ arrangement: Arrangement, _ layers: Int) {
        guard ProcessInfo.processInfo.environment["SLUICE_PARITY_TABLE"] != nil else { return }
        let cells = errors.sorted { $0.key < $1.key }.map { "\($0.key) " + String(format: "%.1e", $0.value) }
        Swift.print("parity: \(arrangement.rawValue), \(layers) layers: " + cells.joined(separator: " | "))
    }
}
