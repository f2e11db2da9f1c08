import SluiceLSTM
import Testing

@testable import SluiceTraining

@Suite struct IncumbentTests {
    private static let own = Model.Scaler(mean: [50, -3], scale: [12, 0.5])
    private static let other = Model.Scaler(mean: [61, -2.5], scale: [7, 0.75])

    private static func model(_ head: HeadKind, _ scaler: Model.Scaler?) -> Model {
        let manifest = ModelManifest(
            name: "m", version: "v", inputs: ["a", "b"], targets: head.classifies ? [] : ["b", "a"], horizons: [1, 2],
            head: head, quantiles: head == .quantile ? [0.1, 0.5, 0.9] : [], scaling: scaler == nil ? .none : .global,
            classes: head == .categorical ? 3 : nil)
        var parameters = LSTMParameters(shape: LSTMShape(inputs: 2, hidden: 5, layers: 2, outputs: manifest.outputs))
        var generator = SeededGenerator(seed: 4, stream: .holdOut)
        for index in parameters.values.indices {
            parameters.values[index] = Float.random(in: -0.5..<0.5, using: &generator)
        }
        return Model(manifest: manifest, parameters: parameters, scaler: scaler)
    }

    /// What a model answers to raw inputs, outputs in raw units (log-variances likewise), in double.
    private static func answers(_ parameters: LSTMParameters, _ manifest: ModelManifest, _ scaler: Model.Scaler?)
        -> [Double]
    {
        let cell = ReferenceCell<Double>(parameters)
        var state = [Double](repeating: 0, count: 2 * 2 * parameters.shape.paddedHidden)
        var result: [Double] = []
        for step in 0..<12 {
            let raw = [48 + Double(step), -3.2 + 0.1 * Double(step)]
            let scaled = raw.enumerated().map { index, value in
                scaler.map { (value - Double($0.mean[index])) / Double($0.scale[index]) } ?? value
            }
            let (next, outputs) = cell.step(inputs: scaled, state: state)
            state = next
            let perTarget = manifest.horizons.count * manifest.outputsPerForecast
            for (index, output) in outputs.enumerated() {
                guard let scaler, !manifest.head.classifies else {
                    result.append(output)
                    continue
                }
                let input = index / perTarget == 0 ? 1 : 0
                let (mean, scale) = (Double(scaler.mean[input]), Double(scaler.scale[input]))
                let isLogVariance = manifest.head == .gaussian && index % 2 == 1
                result.append(isLogVariance ? output + 2 * ReferenceScalarLog.log(scale) : output * scale + mean)
            }
        }
        return result
    }

    @Test(arguments: [HeadKind.point, .gaussian, .quantile, .binary, .categorical])
    func inOtherUnitsItIsTheSameFunctionOfTheRawInputs(head: HeadKind) {
        for (own, other) in [(Self.own, Self.other), (Self.own, nil), (nil, Self.other)] {
            let model = Self.model(head, own)
            let before = Self.answers(model.parameters, model.manifest, own)
            let after = Self.answers(model.parameters(in: other), model.manifest, other)
            let largest = before.map(\.magnitude).max() ?? 0
            let worst = zip(before, after).map { ($0 - $1).magnitude }.max() ?? .infinity
            #expect(worst <= 1e-5 * largest)
        }
    }

    @Test func inItsOwnUnitsNothingChanges() {
        let model = Self.model(.gaussian, Self.own)
        #expect(model.parameters(in: Self.own) == model.parameters)
    }

    @Test func onlyModelsThatAnswerTheSameQuestionAreComparable() {
        let model = Self.model(.quantile, Self.own)
        var other = model.manifest
        #expect(model.isComparable(with: other))
        other.scaling = .none
        #expect(model.isComparable(with: other))
        other.scaling = .perStream
        #expect(!model.isComparable(with: other))
        for change in [
            { $0.inputs = ["a", "c"] }, { $0.targets = ["a"] }, { $0.horizons = [1] }, { $0.head = .point },
            { $0.quantiles = [0.5] },
        ] as [(inout ModelManifest) -> Void] {
            var other = model.manifest
            change(&other)
            #expect(!model.isComparable(with: other))
        }
    }

    /// The incumbent's loss is that of its own training: measured again, in units of another scaler.
    @Test func aModelSetBesideItselfHasTheSameLoss() throws {
        let series = (0..<4).map { Synthetic.wave(120, name: "wave-\($0)") }
        let manifest = ModelManifest(
            name: "m", version: "", inputs: ["x"], targets: ["x"], horizons: [1], head: .point, scaling: .none)
        let shape = LSTMShape(inputs: 1, hidden: 4, layers: 1, outputs: 1)
        var configuration = TrainingConfiguration()
        configuration.epochs = 2
        configuration.chunk = 16
        configuration.rows = 4
        configuration.threads = 1
        let dataset = try Dataset(series, for: manifest)
        let first = try Trainer.train(dataset, manifest: manifest, shape: shape, configuration: configuration)
        #expect(first.incumbent == nil)
        let second = try Trainer.train(
            dataset, manifest: manifest, shape: shape, incumbent: first.model, configuration: configuration)
        #expect(second.incumbent == first.carryGap?.carried)
        #expect(second.carryGap?.carried == first.carryGap?.carried, "measuring it changes nothing in training")
    }
}
