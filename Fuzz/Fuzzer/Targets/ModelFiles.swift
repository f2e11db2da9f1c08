import SluiceCore
import SluiceEngine
import SluiceLSTM
import SluiceModelFile
import SluiceSchema
import SluiceState

/// A model file, as it is and with the length of its header set right.
struct ModelFiles: FuzzTarget {
    static func seeds() throws -> [Seed] {
        let goldens = ["point", "quantile", "no-bias", "half", "projections", "bidirectional"]
        let read = try goldens.map {
            Seed("seed-\($0)", try Repository.bytes("Tests/SluiceModelFileTests/Goldens/\($0).safetensors"))
        }
        let manifests = [
            ModelManifest(
                name: "g", version: "v1", inputs: ["a", "b"], targets: ["b"], horizons: [1, 3], head: .gaussian,
                initialState: .learned, scaling: .global, warmup: 4),
            ModelManifest(
                name: "c", version: "v2", inputs: ["a"], targets: [], head: .categorical, classes: 3, seed: 7),
        ]
        let written = try manifests.map { manifest in
            let shape = LSTMShape(inputs: manifest.inputs.count, hidden: 1, layers: 1, outputs: manifest.outputs)
            let parameters = LSTMParameters(shape: shape, hasInitialState: manifest.initialState.isLearned)
            let scaler = manifest.scaling == .global ? Model.Scaler(mean: [1, 2], scale: [3, 4]) : nil
            let model = Model(manifest: manifest, parameters: parameters, scaler: scaler)
            return Seed("seed-\(manifest.head)", try ModelFile.encode(model))
        }
        return read + written
    }

    func run(_ bytes: UnsafeRawBufferPointer) throws {
        var file = Array(bytes)
        try read(file)
        guard Self.setHeaderLength(&file) else { return }
        try read(file)
    }

    private func read(_ file: [UInt8]) throws {
        let decoded = try expecting(.invalidModel) { try ModelFile.decode(file, path: "m.safetensors") }
        guard var model = decoded else { return }
        let written = try ModelFile.encode(model)
        let again = try ModelFile.decode(written, path: "n.safetensors")
        model.hash = again.hash
        check(again == model, "a model reads back as it is written")
        try check(ModelFile.encode(again) == written, "a model is always written the same")
        let features = model.manifest.inputs.map { InputSpecification.Feature($0) }
        _ = try Fold(specification: FoldSpecification(model: model), input: InputSpecification(features: features))
    }

    /// Sets the length to what the first object behind it has; false if it has that already, or there is none.
    private static func setHeaderLength(_ file: inout [UInt8]) -> Bool {
        var (depth, isString, isEscaped) = (0, false, false)
        for index in file.indices.dropFirst(8) {
            let byte = file[index]
            if isEscaped {
                isEscaped = false
            } else if isString {
                isEscaped = byte == UInt8(ascii: "\\")
                isString = byte != UInt8(ascii: "\"")
            } else if byte == UInt8(ascii: "\"") {
                isString = true
            } else if byte == UInt8(ascii: "{") {
                depth += 1
            } else if byte == UInt8(ascii: "}") {
                depth -= 1
            }
            guard depth <= 0 else { continue }
            let length = (0..<8).map { UInt8(truncatingIfNeeded: (index - 7) >> (8 * $0)) }
            guard !file.starts(with: length) else { return false }
            file.replaceSubrange(..<8, with: length)
            return true
        }
        return false
    }
}
