import SluiceConfiguration
import SluiceCore
import SluiceEngine
import SluiceLSTM
import SluiceModelFile
import SluiceModels
import SluiceSchema

/// The models of a running service as its workers fold by them: from the registry, under the configuration.
struct ServiceModels: Sendable {
    let configuration: Configuration
    let registry: ModelRegistry

    /// - Throws: `model-unknown`, and what is wrong between the model and the configuration; `file`, to be tried again,
    ///   where a model that is there cannot be read.
    func fold(_ reference: ModelReference) throws -> Fold {
        let model: Model
        do {
            model =
                switch reference {
                case .active: try active()
                case .version(let version): try registry.model(version: version)
                case .hash(let hash): try registry.model(hash: hash)
                }
        } catch let error as SluiceError where error.code == .file {
            throw SluiceError(error.code, error.message, remedy: error.remedy, retry: .later, cause: error.cause)
        }
        return try Fold(
            specification: try configuration.foldSpecification(model),
            input: try configuration.inputSpecification(.record, for: model.manifest.inputs))
    }

    private func active() throws -> Model {
        guard let active = registry.active else { throw SluiceError(.unknownModel, "no model is active yet") }
        return try registry.model(version: active.version)
    }

    /// Takes a model in and makes it the active one, but for a model that was here before: which one follows it has
    /// been decided since, by retraining or by hand, and a restart with the same arguments must not undo that.
    ///
    /// - Returns: the version given where another one stays active.
    func begin(with path: String) throws -> String? {
        let isKnown = registry.holds(try ModelFile.read(path))
        let version = try registry.register(path).manifest.version
        guard let active = registry.active, isKnown else {
            try activate(version, by: "serve")
            return nil
        }
        return active.version == version ? nil : version
    }

    @discardableResult
    func activate(_ version: String, by caller: String) throws -> ModelRegistry.Activation {
        try check(try registry.model(version: version))
        return try registry.activate(version, by: caller, at: SystemClock().wallMilliseconds())
    }

    /// Makes the model before the active one active again.
    func rollBack(by caller: String) throws -> ModelRegistry.Activation {
        guard let version = registry.active?.previous.last else {
            throw SluiceError(.unknownModel, "there is no model before the active one")
        }
        try check(try registry.model(version: version))
        return try registry.rollBack(by: caller, at: SystemClock().wallMilliseconds())
    }

    /// Takes the bytes of a model file into the registry, if it can serve here; returns its version.
    func register(_ file: [UInt8]) throws -> String {
        let model = try ModelFile.decode(file, path: "that was sent")
        try check(model)
        return try registry.register(file, of: model)
    }

    /// Whether a model can serve under this configuration.
    func check(_ model: Model) throws {
        _ = try configuration.inputSpecification(.record, for: model.manifest.inputs)
        _ = try configuration.foldSpecification(model)
    }
}
