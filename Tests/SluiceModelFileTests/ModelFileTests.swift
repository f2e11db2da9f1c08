import Foundation
import SluiceCore
import SluiceLSTM
import Testing

@testable import SluiceModelFile

@Suite struct ModelFileTests {
    @Test func fileOfTheSafetensorsLibraryIsRead() throws {
        let model = try ModelFile.read(Fixtures.golden("point.safetensors"))
        #expect(model.parameters.shape == LSTMShape(inputs: 2, hidden: 3, layers: 2, outputs: 2))
        #expect(
            model.manifest
                == ModelManifest(
                    name: "pumps", version: "v7", inputs: ["temperature", "load"], targets: ["temperature"],
                    horizons: [1, 6]))
        #expect(model.hash.count == 64)
        #expect(model.scaler == nil)
    }

    @Test func everyTensorArrivesUnderItsName() throws {
        let model = try ModelFile.read(Fixtures.golden("quantile.safetensors"))
        let json = try Data(contentsOf: URL(filePath: Fixtures.golden("quantile.json")))
        var expected = try JSONDecoder().decode([String: [Float]].self, from: json)
        #expect(model.scaler?.mean == expected.removeValue(forKey: "scaler.mean"))
        #expect(model.scaler?.scale == expected.removeValue(forKey: "scaler.scale"))
        for tensor in model.parameters.tensors {
            let reference = expected.removeValue(forKey: tensor.name)
            #expect(Array(model.parameters.values[tensor.range]) == reference, "\(tensor.name)")
        }
        #expect(expected.isEmpty)
        #expect(model.manifest.name == "größe \"x\"")
        #expect(model.manifest.initialState == .learned)
    }

    @Test(arguments: HeadKind.allCases, [1, 4])
    func writtenModelReadsBackEqual(head: HeadKind, layers: Int) throws {
        let manifest = ModelManifest(
            name: "m \"\\\n\u{1}é", version: "v1", inputs: ["a", "b"], targets: head.classifies ? [] : ["b"],
            horizons: [1, 3], head: head, quantiles: head == .quantile ? [0.1, 0.5, 0.9] : [],
            initialState: layers == 1 ? .learned : .zero, scaling: layers == 1 ? .perStream : .global,
            classes: head == .categorical ? 3 : nil, seed: 7, warmup: 4)
        var model = Fixtures.model(manifest, hidden: 5, layers: layers)
        if layers == 4 { model.scaler = Model.Scaler(mean: [1, 2], scale: [0.5, 3]) }
        try Fixtures.temporary { folder in
            let written = try ModelFile.write(model, to: folder + "/m.safetensors")
            let read = try ModelFile.read(folder + "/m.safetensors")
            #expect(read == written)
            model.hash = read.hash
            #expect(read == model)
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["m.safetensors"])
        }
    }

    @Test func whatItWasTrainedOnIsKept() throws {
        var model = Fixtures.model(Fixtures.point)
        let plain = try ModelFile.encode(model)
        #expect(try ModelFile.decode(plain, path: "m").data == nil)
        model.data = DataManifest(
            files: [
                DataManifest.File(
                    name: "größe \"x\".csv", bytes: 12, sha256: "ab", observations: 3, rejects: 1,
                    first: "2026-01-01T00:00:00Z", last: nil)
            ],
            topic: DataManifest.Topic(
                name: "t", cluster: "c", window: 60_000,
                partitions: [
                    DataManifest.Partition(
                        partition: 1, from: 5, to: 9, observations: 4, rejects: 0, first: nil, last: nil)
                ]),
            observations: 7, streams: 2, rejects: ["late": 1],
            heldOut: DataManifest.HeldOut(by: "stream", testStreams: 1))
        let bytes = try ModelFile.encode(model)
        let read = try ModelFile.decode(bytes, path: "m")
        #expect(read.data == model.data && read.parameters == model.parameters && bytes != plain)
        #expect(try ModelFile.encode(read) == bytes)
    }

    @Test func examplesOfTheSchemaAreReadAndWrittenAsTheyAre() throws {
        var file = URL(filePath: #filePath)
        for _ in 0..<3 { file.deleteLastPathComponent() }
        let schema = try JSONSerialization.jsonObject(
            with: Data(contentsOf: file.appending(path: "schemas/data.schema.json")))
        let examples = try #require((schema as? [String: Any])?["examples"] as? [[String: Any]])
        #expect(examples.count == 2)
        for example in examples {
            let text = String(decoding: try JSONSerialization.data(withJSONObject: example), as: UTF8.self)
            let written = try DataManifest(json: text).json()
            let read = try JSONSerialization.jsonObject(with: Data(written.utf8)) as? NSDictionary
            #expect(read == example as NSDictionary)
        }
    }

    @Test func dataThatIsNoneIsRefused() {
        var file = Fixtures.File()
        for (json, message) in [
            ("{}", "metadata key sluice.data: format is missing"), ("7", "metadata key sluice.data: "),
            (
                #"{"format":2,"files":[],"observations":1,"streams":1,"rejects":{},"held_out":{"by":"time"}}"#,
                "metadata key sluice.data: format 2 is not known, only 1"
            ),
        ] {
            file.trainedOn = json
            #expect(Fixtures.refusal(file.bytes()).contains(message))
        }
    }

    @Test func sameModelGivesSameBytesAndAnAlignedHeader() throws {
        let model = Fixtures.model(Fixtures.point)
        let bytes = try ModelFile.encode(model)
        #expect(try ModelFile.encode(model) == bytes)
        #expect(bytes[0] % 8 == 0)
        #expect(try ModelFile.decode(bytes, path: "m").parameters == model.parameters)
    }

    @Test func absentManifestKeysHaveDefaults() throws {
        let model = try ModelFile.decode(Fixtures.File().bytes(padding: 5), path: "runs/pump.v2.safetensors")
        #expect(model.manifest.horizons == [1])
        #expect(model.manifest.scaling == .none)
        var file = Fixtures.File()
        file.manifest = #"{"format": 1, "inputs": ["a"], "targets": ["a"], "head": "point", "more": {"x": [1]}}"#
        let unnamed = try ModelFile.decode(file.bytes(), path: "runs/pump.v2.safetensors")
        #expect(unnamed.manifest.name == "pump")
        #expect(unnamed.manifest.version == "v0")
    }

    @Test func failedWriteLeavesTheOldFile() throws {
        try Fixtures.temporary { folder in
            let path = folder + "/m.safetensors"
            let first = try ModelFile.write(Fixtures.model(Fixtures.point), to: path)
            var bad = Fixtures.model(Fixtures.point)
            bad.parameters.values[3] = .nan
            #expect(throws: SluiceError.self) { try ModelFile.write(bad, to: path) }
            #expect(try ModelFile.read(path) == first)
            #expect(throws: SluiceError.self) { try ModelFile.write(first, to: folder + "/no/such/m.safetensors") }
        }
    }

    @Test func missingFileAndFolderAreRefusedByName() throws {
        for path in ["/nonexistent/m.safetensors", "/"] {
            let error = #expect(throws: SluiceError.self) { try ModelFile.read(path) }
            #expect(error?.code == .file)
            #expect(error?.message.contains(path) == true)
        }
    }
}
