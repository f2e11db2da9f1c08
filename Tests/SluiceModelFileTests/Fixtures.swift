import Foundation
import SluiceCore
import SluiceLSTM
import Testing

@testable import SluiceModelFile

enum Fixtures {
    static func golden(_ name: String) -> String {
        URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Goldens/\(name)").path()
    }

    static func bytes(_ name: String) throws -> [UInt8] { try [UInt8](Data(contentsOf: URL(filePath: golden(name)))) }

    static func temporary(_ body: (String) throws -> Void) throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "sluice-\(UUID())")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        try body(folder.path())
    }

    /// A model with distinct values, so that a misplaced tensor shows.
    static func model(_ manifest: ModelManifest, hidden: Int = 2, layers: Int = 1) -> Model {
        let shape = LSTMShape(
            inputs: manifest.inputs.count, hidden: hidden, layers: layers, outputs: manifest.outputs)
        var parameters = LSTMParameters(shape: shape, hasInitialState: manifest.initialState.isLearned)
        for index in parameters.values.indices { parameters.values[index] = Float(index) / 7 - 3 }
        return Model(manifest: manifest, parameters: parameters)
    }

    static let point = ModelManifest(name: "m", version: "v1", inputs: ["a", "b"], targets: ["b"])

    /// A file of the point manifest, from its header's parts.
    struct File {
        var manifest: String? =
            #"{"format": 1, "name": "m", "version": "v1", "inputs": ["a"], "targets": ["a"], "head": "point"}"#
        var trainedOn: String?
        var tensors: [(name: String, dtype: String, shape: [Int], offsets: [Int])] = [
            ("lstm.weight_ih_l0", "F32", [8, 1], [0, 32]), ("lstm.weight_hh_l0", "F32", [8, 2], [32, 96]),
            ("lstm.bias_ih_l0", "F32", [8], [96, 128]), ("lstm.bias_hh_l0", "F32", [8], [128, 160]),
            ("head.weight", "F32", [1, 2], [160, 168]), ("head.bias", "F32", [1], [168, 172]),
        ]
        var data = [UInt8](repeating: 0, count: 172)

        mutating func append(_ name: String, shape: [Int]) {
            let size = 4 * shape.reduce(1, *)
            tensors.append((name, "F32", shape, [data.count, data.count + size]))
            data += [UInt8](repeating: 0, count: size)
        }

        mutating func remove(_ name: String) {
            let index = tensors.firstIndex { $0.name == name }!
            let size = tensors[index].offsets[1] - tensors[index].offsets[0]
            for later in index..<tensors.count { tensors[later].offsets = tensors[later].offsets.map { $0 - size } }
            tensors.remove(at: index)
            data.removeLast(size)
        }

        func bytes(padding: Int = 0) -> [UInt8] {
            var parts = tensors.map {
                "\"\($0.name)\":{\"dtype\":\"\($0.dtype)\",\"shape\":\($0.shape),\"data_offsets\":\($0.offsets)}"
            }
            if let manifest {
                let second = trainedOn.map { ",\"sluice.data\":\(JSONText.quoted($0))" } ?? ""
                parts.insert("\"__metadata__\":{\"sluice.model\":\(JSONText.quoted(manifest))\(second)}", at: 0)
            }
            return Self.file(
                header: "{" + parts.joined(separator: ",") + "}" + String(repeating: " ", count: padding), data)
        }

        static func file(header: String, _ data: [UInt8]) -> [UInt8] {
            let json = Array(header.utf8)
            return (0..<8).map { UInt8(truncatingIfNeeded: json.count >> (8 * $0)) } + json + data
        }
    }

    /// The message with which the bytes are refused.
    static func refusal(_ bytes: [UInt8], sourceLocation: SourceLocation = #_sourceLocation) -> String {
        do {
            _ = try ModelFile.decode(bytes, path: "x.safetensors")
            Issue.record("was accepted", sourceLocation: sourceLocation)
            return ""
        } catch {
            #expect(error.code == .invalidModel, sourceLocation: sourceLocation)
            #expect(error.message.hasPrefix("model file x.safetensors: "), sourceLocation: sourceLocation)
            return error.description
        }
    }
}
