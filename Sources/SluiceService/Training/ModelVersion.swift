import Crypto
import SluiceCore
package import SluiceLSTM
import SluiceTraining

/// Versions of trained models: named after their parameters, so that the same training gives the same file.
package enum ModelVersion {
    package static func version(of model: Model) -> String {
        let digest = model.parameters.values.withUnsafeBytes { SHA256.hash(data: $0) }
        return "v" + digest.prefix(4).hexadecimal
    }
}

extension TrainingResult {
    /// The same with the model's version given.
    func named(_ version: (Model) -> String) -> TrainingResult {
        var result = self
        result.model.manifest.version = version(model)
        return result
    }
}
