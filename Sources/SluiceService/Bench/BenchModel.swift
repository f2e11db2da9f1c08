package import SluiceLSTM

/// The model that is measured: one target, one horizon, drawn weights.
package enum BenchModel {
    package static func names(_ features: Int) -> [String] { (0..<features).map { "f\($0)" } }

    package static func drawn(features: Int, hidden: Int, layers: Int) -> Model {
        let names = names(features)
        var model = Model(
            manifest: ModelManifest(
                name: "bench", version: "v0", inputs: names, targets: [names[0]], horizons: [1], head: .point,
                scaling: .perStream),
            parameters: LSTMParameters(
                shape: LSTMShape(inputs: features, hidden: hidden, layers: layers, outputs: 1)))
        var generator = SplitMix64(state: 1)
        let bound = 1 / Float(hidden).squareRoot()
        for index in model.parameters.values.indices {
            model.parameters.values[index] = generator.uniform(-bound, bound)
        }
        return model
    }
}
