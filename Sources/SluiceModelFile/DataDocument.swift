internal import FoundationEssentials
package import SluiceCore
package import SluiceLSTM

extension DataManifest {
    /// The metadata key of model files that holds it.
    static let key = "sluice.data"
    private static let known = 1

    /// The manifest as it stands in a model file: the same one always gives the same text.
    ///
    /// - Throws: `SluiceError(.invalidModel)` for what JSON cannot say.
    package func json(isPretty: Bool = false) throws(SluiceError) -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        if isPretty { encoder.outputFormatting.insert(.prettyPrinted) }
        do {
            return String(decoding: try encoder.encode(self), as: UTF8.self)
        } catch {
            throw .model("the data manifest cannot be written as JSON: \(ManifestDocument.explain(error))")
        }
    }

    /// - Throws: `SluiceError(.invalidModel)` that says what is wrong with it.
    init(json: String) throws(SluiceError) {
        do {
            self = try JSONDecoder().decode(DataManifest.self, from: Data(json.utf8))
        } catch {
            throw .model(
                "metadata key \(Self.key): \(ManifestDocument.explain(error))",
                remedy: "leave the key out, or see the model file section of the contract")
        }
        guard format == Self.known else {
            throw .model("metadata key \(Self.key): format \(format) is not known, only \(Self.known)")
        }
    }
}
