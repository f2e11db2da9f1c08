internal import Glibc
package import SluiceLSTM

extension Model {
    /// Whether this model's loss can be set beside that of a model of another manifest, trained with another scaler:
    /// both answer the same question, in units that can be converted.
    package func isComparable(with manifest: ModelManifest) -> Bool {
        let mine = self.manifest
        let sameQuestion =
            mine.inputs == manifest.inputs && mine.targets == manifest.targets && mine.horizons == manifest.horizons
            && mine.head == manifest.head && mine.quantiles == manifest.quantiles && mine.classes == manifest.classes
        // Statistics per stream are no part of a model: neither side can be expressed in the other's units.
        return sameQuestion && (mine.scaling == .perStream) == (manifest.scaling == .perStream)
    }

    /// The same function of the raw inputs with inputs and outputs in the units of another scaler (nil: unscaled): an
    /// exact change of the first layer and of the head, computed in double and rounded once.
    ///
    /// With x = (raw − m)/s of this model and x' of the other, x = (x'·s' + m' − m)/s goes into layer 0's input weights
    /// and bias; y' = (y·s + m − m')/s' into the head's. A log-variance takes up 2 ln(s/s').
    package func parameters(in other: Scaler?) -> LSTMParameters {
        var result = parameters
        guard scaler != other, manifest.scaling != .perStream else { return result }
        let inputs = parameters.shape.inputs
        let (own, new) = (Units(scaler, inputs), Units(other, inputs))
        let layer = parameters.layer(0)
        for gate in 0..<4 * parameters.shape.hidden {
            var bias = Double(result.values[layer.biasIH.lowerBound + gate])
            for input in 0..<inputs {
                let place = layer.weightIH.lowerBound + gate * inputs + input
                let weight = Double(result.values[place])
                result.values[place] = Float(weight * new.scale[input] / own.scale[input])
                bias += weight * (new.mean[input] - own.mean[input]) / own.scale[input]
            }
            result.values[layer.biasIH.lowerBound + gate] = Float(bias)
        }
        guard !manifest.head.classifies else { return result }
        for output in 0..<parameters.shape.outputs { express(output, own, new, in: &result) }
        return result
    }

    private func express(_ output: Int, _ own: Units, _ new: Units, in result: inout LSTMParameters) {
        let perTarget = manifest.horizons.count * manifest.outputsPerForecast
        guard let input = manifest.inputs.firstIndex(of: manifest.targets[output / perTarget]) else { return }
        let ratio = own.scale[input] / new.scale[input]
        let bias = result.headBias.lowerBound + output
        let isLogVariance = manifest.head == .gaussian && output % 2 == 1
        if isLogVariance {
            result.values[bias] = Float(Double(result.values[bias]) + 2 * log(ratio))
            return
        }
        let hidden = parameters.shape.hidden
        for unit in 0..<hidden {
            let place = result.headWeight.lowerBound + output * hidden + unit
            result.values[place] = Float(Double(result.values[place]) * ratio)
        }
        let shift = (own.mean[input] - new.mean[input]) / new.scale[input]
        result.values[bias] = Float(Double(result.values[bias]) * ratio + shift)
    }

    private struct Units {
        let mean, scale: [Double]

        init(_ scaler: Scaler?, _ inputs: Int) {
            mean = scaler?.mean.map(Double.init) ?? Array(repeating: 0, count: inputs)
            scale = scaler?.scale.map(Double.init) ?? Array(repeating: 1, count: inputs)
        }
    }
}
