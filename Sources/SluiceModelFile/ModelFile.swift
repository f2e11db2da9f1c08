internal import Glibc
package import SluiceCore
internal import SluiceFiles
package import SluiceLSTM

/// Model files: safetensors with the tensors of a PyTorch module, a JSON manifest under the metadata key `sluice.model`
/// and, where Sluice has trained it, what it was trained on under `sluice.data`.
///
/// Whatever is not exactly such a file is refused by the name of the tensor or key at fault: extra tensors too, because
/// ignoring a layer the model was trained with would serve another model.
package enum ModelFile {
    /// Reads a model; its `hash` is the SHA-256 of the file.
    ///
    /// - Throws: `SluiceError(.file)` if the file cannot be read, `SluiceError(.invalidModel)` if it is not a model.
    package static func read(_ path: String) throws -> Model {
        guard let bytes = try FileBytes.read(path, limit: bytesMax) else {
            throw SluiceError(.file, "there is no model file \(path)")
        }
        return try decode(bytes, path: path)
    }

    /// Writes a model in place of what is at `path`, either wholly or not at all: the bytes go to a temporary file
    /// beside it, which is renamed once it is on disk. The same model always gives the same bytes.
    ///
    /// - Returns: the model with the file's hash.
    /// - Throws: `SluiceError(.invalidModel)` before anything is written, `SluiceError(.file)`.
    package static func write(_ model: Model, to path: String) throws -> Model {
        let bytes = try encode(model)
        // Nobody keeps two trainings from writing the same file.
        try FileBytes.replace(path, with: bytes, suffix: ".\(getpid()).new")
        var saved = model
        saved.hash = unsafe SHA256.hash(bytes.span.bytes).hexadecimal
        return saved
    }

    /// The model in the bytes of a file; `path` only names it in errors, and the model where its manifest does not.
    package static func decode(_ bytes: [UInt8], path: String) throws(SluiceError) -> Model {
        do throws(SluiceError) {
            let header = try SafetensorsHeader(bytes)
            guard let json = header.metadata[ManifestDocument.key] else {
                throw SluiceError.model(
                    "its metadata lacks the key \(ManifestDocument.key)",
                    remedy: "pass metadata={\"\(ManifestDocument.key)\": json.dumps({...})} to safetensors' save_file")
            }
            let manifest = try ManifestDocument.manifest(json, name: stem(path))
            try manifest.validate()
            var model = try TensorReader(file: bytes, header: header).model(manifest)
            model.data = if let data = header.metadata[DataManifest.key] { try DataManifest(json: data) } else { nil }
            model.hash = unsafe SHA256.hash(bytes.span.bytes).hexadecimal
            return model
        } catch {
            throw SluiceError(error.code, "model file \(path): \(error.message)", remedy: error.remedy)
        }
    }

    /// The bytes of a model's file.
    package static func encode(_ model: Model) throws(SluiceError) -> [UInt8] {
        try model.manifest.validate()
        let tensors = try TensorWriter(model).tensors
        var json = "{\"__metadata__\":{\"\(ManifestDocument.key)\":"
        json += try JSONText.quoted(ManifestDocument.json(model.manifest))
        if let data = model.data { json += try ",\"\(DataManifest.key)\":\(JSONText.quoted(data.json()))" }
        json += "}"
        var offset = 0
        for tensor in tensors {
            let sizes = tensor.shape.map(String.init).joined(separator: ",")
            let end = offset + 4 * tensor.values.count
            json += ",\"\(tensor.name)\":{\"dtype\":\"F32\",\"shape\":[\(sizes)],\"data_offsets\":[\(offset),\(end)]}"
            offset = end
        }
        json += "}"
        var header = Array(json.utf8)
        while header.count % 8 != 0 { header.append(UInt8(ascii: " ")) }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(SafetensorsHeader.lengthBytes + header.count + offset)
        for shift in 0..<8 { bytes.append(UInt8(truncatingIfNeeded: header.count >> (8 * shift))) }
        bytes += header
        for tensor in tensors {
            for value in tensor.values {
                let bits = value.bitPattern
                for shift in 0..<4 { bytes.append(UInt8(truncatingIfNeeded: bits >> (8 * UInt32(shift)))) }
            }
        }
        return bytes
    }

    /// The largest model within `Limits`, header included.
    private static let bytesMax: Int = {
        let shape = LSTMShape(
            inputs: Limits.inputs, hidden: Limits.hidden, layers: Limits.layers, outputs: Limits.outputs)
        let floats = LSTMParameters.layout(shape, hasInitialState: true).last?.range.upperBound ?? 0
        return SafetensorsHeader.lengthBytes + Limits.modelHeaderBytes + 4 * (floats + 2 * Limits.inputs)
    }()

    private static func stem(_ path: String) -> String {
        let file = path.split(separator: "/").last ?? ""
        return String(file.split(separator: ".").first ?? "model")
    }
}
