internal import FoundationEssentials
internal import SluiceCore
internal import SluiceLSTM

/// The manifest as it may stand in a file: what has an obvious default may be absent, unknown keys are ignored.
struct ManifestDocument: Decodable {
    static let key = "sluice.model"
    static let format = 1

    let format: Int
    let name, version: String?
    let inputs: [String]
    let targets: [String]?
    let horizons: [Int]?
    let head: HeadKind
    let quantiles: [Double]?
    let initialState: InitialStateKind?
    let initialStateDeviation: Double?
    let initialStateRange: [Double]?
    let initialStateNoise: Bool?
    let scaling: ScalingKind?
    let classes: Int?
    let seed: UInt64?
    let warmup: Int?

    private typealias CodingKeys = ModelManifest.CodingKeys

    /// The manifest in `json`; `name` is the model's where the manifest has none.
    static func manifest(_ json: String, name: String) throws(SluiceError) -> ModelManifest {
        let document: ManifestDocument
        do {
            document = try JSONDecoder().decode(ManifestDocument.self, from: Data(json.utf8))
        } catch {
            throw .model("metadata key \(key): \(explain(error))", remedy: "see the model file section of the contract")
        }
        guard document.format == format else {
            throw .model("metadata key \(key): format \(document.format) is not known, only \(format)")
        }
        return ModelManifest(
            name: document.name ?? name, version: document.version ?? "v0", inputs: document.inputs,
            targets: document.targets ?? [], horizons: document.horizons ?? [1], head: document.head,
            quantiles: document.quantiles ?? [], initialState: document.initialState ?? .zero,
            initialStateDeviation: document.initialStateDeviation, initialStateRange: document.initialStateRange,
            initialStateNoise: document.initialStateNoise, scaling: document.scaling ?? .none,
            classes: document.classes, seed: document.seed, warmup: document.warmup)
    }

    /// The same manifest always gives the same text.
    static func json(_ manifest: ModelManifest) throws(SluiceError) -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        do {
            return String(decoding: try encoder.encode(manifest), as: UTF8.self)
        } catch {
            throw .model("the manifest cannot be written as JSON: \(explain(error))")
        }
    }

    static func explain(_ error: any Error) -> String {
        func path(_ keys: [any CodingKey]) -> String {
            keys.map { $0.intValue.map { "[\($0)]" } ?? $0.stringValue }.joined(separator: ".")
        }
        return switch error {
        case DecodingError.keyNotFound(let key, _): "\(key.stringValue) is missing"
        case DecodingError.typeMismatch(let type, let context): "\(path(context.codingPath)) is not of type \(type)"
        case DecodingError.valueNotFound(_, let context): "\(path(context.codingPath)) is null"
        case DecodingError.dataCorrupted(let context) where !context.codingPath.isEmpty:
            words(context.codingPath).map { "\(path(context.codingPath)) is none of \($0)" }
                ?? "\(path(context.codingPath)): \(context.debugDescription)"
        default: "it is not valid JSON"
        }
    }

    /// What a key may say; nil where that is no list of words.
    private static func words(_ keys: [any CodingKey]) -> String? {
        let words: [String]? =
            switch keys.last?.stringValue {
            case CodingKeys.head.stringValue: HeadKind.allCases.map(\.rawValue)
            case CodingKeys.initialState.stringValue: InitialStateKind.allCases.map(\.rawValue)
            case CodingKeys.scaling.stringValue: ScalingKind.allCases.map(\.rawValue)
            default: nil
            }
        return words?.joined(separator: ", ")
    }
}
