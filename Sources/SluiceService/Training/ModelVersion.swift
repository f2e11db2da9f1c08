import SluiceCore
package import SluiceLSTM
import SluiceModelFile

/// Versions of trained models: named after their parameters and what these were trained on, so that the same training
/// gives the same file, and no two files bear one version.
package enum ModelVersion {
    /// - Throws: `model-invalid` for a data manifest that cannot be written.
    package static func version(of model: Model) throws -> String {
        var hash = SHA256()
        hash.update(model.parameters.values.span.bytes)
        if let data = model.data { hash.update(Array(try data.json().utf8).span.bytes) }
        return "v" + hash.finalize().prefix(4).hexadecimal
    }
}
