import Foundation
import SluiceLSTM
import SluiceModelFile

/// A folder that is gone after `body`.
func withFolder<Result>(_ body: (Folder) async throws -> Result) async throws -> Result {
    let folder = Folder(path: NSTemporaryDirectory() + "sluice-commands-\(UUID().uuidString)")
    try FileManager.default.createDirectory(atPath: folder.path, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder.path) }
    return try await body(folder)
}

struct Folder {
    let path: String

    func file(_ name: String) -> String { path + "/" + name }

    @discardableResult
    func write(_ text: String, _ name: String) throws -> String {
        try Data(text.utf8).write(to: URL(filePath: file(name)))
        return file(name)
    }

    func make(_ name: String) throws {
        try FileManager.default.createDirectory(atPath: file(name), withIntermediateDirectories: true)
    }

    /// The names of what a folder in it holds, in order.
    func names(in name: String = "") throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: file(name)).sorted()
    }

    func read(_ name: String) throws -> String { String(decoding: try data(name), as: UTF8.self) }
    func data(_ name: String) throws -> Data { try Data(contentsOf: URL(filePath: file(name))) }

    /// A model with weights that are small, all different and the same in every run.
    @discardableResult
    func model(
        _ name: String = "model.safetensors", inputs: [String] = ["x", "y"], head: HeadKind = .point,
        scaling: ScalingKind = .none, version: String = "v1"
    ) throws -> String {
        let manifest = ModelManifest(
            name: "test", version: version, inputs: inputs, targets: head.classifies ? [] : [inputs[0]],
            horizons: head.classifies ? [] : [1, 3], head: head, scaling: scaling)
        var parameters = LSTMParameters(
            shape: LSTMShape(inputs: inputs.count, hidden: 5, layers: 2, outputs: manifest.outputs))
        for index in parameters.values.indices {
            parameters.values[index] = Float(index * 37 % 101) / 101 - 0.5
        }
        _ = try ModelFile.write(Model(manifest: manifest, parameters: parameters), to: file(name))
        return file(name)
    }
}

extension String {
    var lines: [Substring] { split(separator: "\n") }
}
