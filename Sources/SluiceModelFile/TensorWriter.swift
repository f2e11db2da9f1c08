internal import SluiceCore
internal import SluiceLSTM

/// Names and rules of the tensors of `scaling: global`.
enum ScalerTensor {
    static let mean = "scaler.mean"
    static let scale = "scaler.scale"
    static let all = [mean, scale]

    static func check(_ scaler: Model.Scaler, _ manifest: ModelManifest) throws(SluiceError) {
        for (name, scale) in zip(manifest.inputs, scaler.scale) where scale <= 0 {
            throw .model("tensor \(Self.scale) is \(scale) for input \(name); scales are positive")
        }
    }
}

/// The tensors of a model in file order, checked as the reader would check them.
struct TensorWriter {
    struct Tensor {
        let name: String
        let shape: [Int]
        let values: ArraySlice<Float>
    }

    let tensors: [Tensor]

    init(_ model: Model) throws(SluiceError) {
        let (manifest, parameters) = (model.manifest, model.parameters)
        guard parameters.shape.inputs == manifest.inputs.count, parameters.shape.outputs == manifest.outputs,
            parameters.hasInitialState == manifest.initialState.isLearned, parameters.shape.hidden <= Limits.hidden
        else { throw .model("the parameters of model \(manifest.name) do not have the shape its manifest calls for") }
        var tensors = parameters.tensors.map {
            Tensor(name: $0.name, shape: $0.shape, values: parameters.values[$0.range])
        }
        if manifest.scaling == .global {
            guard let scaler = model.scaler, scaler.mean.count == manifest.inputs.count,
                scaler.scale.count == manifest.inputs.count
            else { throw .model("model \(manifest.name) lacks the scaler that its scaling global needs") }
            try ScalerTensor.check(scaler, manifest)
            tensors.append(Tensor(name: ScalerTensor.mean, shape: [scaler.mean.count], values: scaler.mean[...]))
            tensors.append(Tensor(name: ScalerTensor.scale, shape: [scaler.scale.count], values: scaler.scale[...]))
        }
        for tensor in tensors where !tensor.values.allSatisfy(\.isFinite) {
            throw .model("tensor \(tensor.name) of model \(manifest.name) holds a value that is not finite")
        }
        self.tensors = tensors
    }
}
