import Foundation
import SluiceLSTM
import SluiceModelFile
import Testing

@testable import SluiceCommands

@Suite struct TrainTests {
    /// A sine per stream, its phase the stream's.
    private func csv(streams: Int, rows: Int) -> String {
        var text = "stream,time,wave,load\n"
        for row in 0..<rows {
            for stream in 0..<streams {
                let wave = sin(Double(row) * 0.5 + Double(stream))
                text += "s\(stream),\(1_767_225_600_000 + row * 60_000),\(wave),\(row % 3)\n"
            }
        }
        return text
    }

    private let small = [
        "--hidden", "4", "--horizons", "1", "--head", "point", "--epochs", "3", "--chunk", "16", "--rows", "4",
        "--threads", "1", "--learning-rate", "0.01",
    ]

    @Test func trainedModelScoresItsFile() async throws {
        try await withFolder { folder in
            let data = try folder.write(csv(streams: 4, rows: 80), "wave.csv")
            let model = folder.file("m.safetensors")
            let trained = await sluice(list: ["train", "--data", data, "--output", model] + small)
            #expect(trained.code == 0)
            #expect(trained.out.lines.filter { $0.hasPrefix("epoch ") }.count == 3)
            #expect(trained.out.contains("carry gap: "))
            let read = try ModelFile.read(model)
            #expect(read.manifest.inputs == ["wave", "load"] && read.manifest.targets == ["wave"])
            #expect(trained.out.contains("version \(read.manifest.version)") && trained.out.contains(read.hash))
            let scored = await sluice("score", "--model", model, "--input", data, "--output", folder.file("out"))
            #expect(scored.code == 0)
            #expect(try folder.read("out").lines.count == 320)
        }
    }

    @Test func seedFixesTheFile() async throws {
        try await withFolder { folder in
            let data = try folder.write(csv(streams: 2, rows: 60), "wave.csv")
            for (name, seed) in [("a", "1"), ("b", "1"), ("c", "2")] {
                let result = await sluice(
                    list: ["train", "--data", data, "--seed", seed, "--output", folder.file(name)] + small)
                #expect(result.code == 0)
            }
            #expect(try folder.data("a") == folder.data("b"))
            #expect(try folder.data("a") != folder.data("c"))
        }
    }

    @Test func jsonIsOneObjectAnEpochAndOneAtTheEnd() async throws {
        try await withFolder { folder in
            let rows = (0..<60).map {
                #"{"stream":"s","time":\#($0 * 1000),"values":{"b":\#($0 % 5),"note":"x","a":\#($0 % 2)},"#
                    + #""label":\#($0 % 2)}"#
            }
            let data = try folder.write((rows + ["nonsense"]).joined(separator: "\n"), "in.ndjson")
            let result = await sluice(
                list: [
                    "train", "--data", data, "--output", folder.file("m"), "--head", "binary", "--scaling", "none",
                    "--epochs", "2", "--hidden", "2", "--json",
                ])
            #expect(result.code == 0 && result.error.isEmpty)
            let objects = try result.out.lines.map {
                try #require(try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any])
            }
            #expect(objects.map { $0["epoch"] as? Int } == [1, 2, nil])
            #expect((objects[0]["validation"] as? [String: Any])?["accuracy"] is Double)
            #expect(objects[2]["done"] as? Bool == true && objects[2]["observations"] as? Int == 60)
            #expect(objects[2]["rejects"] as? [String: Int] == ["json-invalid": 1])
            // The order of the record, not of the alphabet.
            #expect(try ModelFile.read(folder.file("m")).manifest.inputs == ["b", "a"])
        }
    }

    @Test func untilBeforeFromIsRefused() async throws {
        let (early, late) = ("2026-01-01T00:00:00Z", "2026-01-01T00:00:00.001Z")
        let topic = ["train", "--from-topic"]
        let refused: [([String], String)] = [
            (topic + ["--from", late, "--until", early], "--until must be later than --from."),
            (topic + ["--from", early, "--until", early], "--until must be later than --from."),
            (topic + ["--data-of", "m", "--from", "7"], "--data-of says what is read: leave --from and --until out."),
            (["train", "--data", "a.csv", "--from", "7"], "--from, --until and --data-of go with --from-topic."),
            (["train", "--data", "a.csv", "--data-of", "m"], "--from, --until and --data-of go with --from-topic."),
            (topic + ["--from", "yesterday"], "'yesterday' is invalid for '--from <time|offset>'"),
            (topic + ["--from=-1"], "'-1' is invalid for '--from <time|offset>'"),
            (topic + ["--until", "7"], "'7' is invalid for '--until <time>'"),
        ]
        for (arguments, message) in refused {
            let result = await sluice(list: arguments)
            #expect(result.code == 2 && result.error.contains(message), "\(arguments): \(result.error)")
        }
        // Both are well: what is missing is the configuration.
        let taken = await sluice(list: topic + ["--from", early, "--until", late, "-c", "/none.yaml"])
        #expect(taken.code == 1 && taken.error.contains("/none.yaml"))
    }

    @Test func configurationGivesPointersAndFlagsOverrideIt() async throws {
        try await withFolder { folder in
            let config = try folder.write(
                """
                input: {features: {x: /deep/x, y: /deep/y}}
                model: {hidden: 3, head: point, horizons: [1], scaling: none}
                train: {epochs: 1, validation: 0, patience: 0}
                """, "t.yaml")
            let rows = (0..<40).map { #"{"stream":"s","time":\#($0),"deep":{"x":\#($0 % 3),"y":1}}"# }
            let data = try folder.write(rows.joined(separator: "\n"), "in.ndjson")
            let result = await sluice(
                "train", "--data", data, "-c", config, "--features", "y,x", "--hidden", "2", "--output",
                folder.file("m"))
            #expect(result.code == 0)
            let model = try ModelFile.read(folder.file("m"))
            #expect(model.manifest.inputs == ["y", "x"] && model.parameters.shape.hidden == 2)
        }
    }

    @Test func aWrongTimeIsToldAndCostsTheTrainingPartNothing() async throws {
        try await withFolder { folder in
            let text = csv(streams: 1, rows: 200).replacingOccurrences(
                of: "s0,1767225780000,", with: "s0,4070908800000,")
            let data = try folder.write(text, "wave.csv")
            let model = folder.file("m.safetensors")
            let told = await sluice(list: ["train", "--data", data, "--output", model] + small)
            #expect(told.code == 0 && told.out.lines.contains("trained on 170, validated on 30"))
            #expect(told.error.hasPrefix("one observation is older than the one before in the stream: "))
            let manifest = try #require(try ModelFile.read(model).data)
            #expect(manifest.outOfOrder == 1 && manifest.heldOut.trainObservations == 170)
            let shown = await sluice("models", "show", model)
            #expect(shown.code == 0 && shown.out.contains("trained on 170, validated on 30, tested on 0"))
            let json = await sluice(list: ["train", "--data", data, "--json", "--output", model] + small)
            #expect(json.out.lines.last?.contains(#""trained":170,"validated":30,"tested":0,"out_of_order":1"#) == true)
            #expect(json.error.lines.first == told.error.lines.first)
        }
    }

    @Test func emptyFilesAreRefusedByName() async throws {
        try await withFolder { folder in
            let full = try folder.write(csv(streams: 1, rows: 30), "full.csv")
            for (name, text) in [
                ("a.ndjson", ""), ("b.ndjson", "\n  \n"), ("c.csv", "stream,time,wave,load\n"),
                ("d.csv", "stream,time,wave,load\n \n"),
            ] {
                let empty = try folder.write(text, name)
                for data in [[empty], [full, empty]] {
                    let result = await sluice(
                        list: ["train", "--data"] + data + ["--output", folder.file("m"), "--features", "wave"])
                    #expect(result.code == 1 && result.out.isEmpty)
                    #expect(
                        result.error == "error: \(empty) holds no observations (fill it, or leave it out of --data)\n")
                }
            }
            let none = await sluice("train", "--data", try folder.write("", "e.csv"), "--output", folder.file("m"))
            #expect(none.code == 1 && none.error.contains("e.csv has no header line"))
        }
    }

    @Test func whatIsWrongIsSaidBeforeTraining() async throws {
        try await withFolder { folder in
            let data = try folder.write(csv(streams: 1, rows: 30), "wave.csv")
            func train(_ arguments: [String]) async -> CommandResult { await sluice(list: ["train"] + arguments) }
            let usage = [
                [], ["--data", data, "--from-topic"], ["--data", "-"], ["--data", data, "--epochs", "0"],
                ["--data", data, "--carry", "sometimes"], ["--data", data, "--set", "train.rows"],
            ]
            for arguments in usage { #expect(await train(arguments).code == 2, "\(arguments)") }
            let unknown = await train(["--data", data, "--set", "train.rowz=1"])
            #expect(unknown.code == 1)
            #expect(unknown.error.contains("flag: train.rowz: unknown setting; did you mean \"train.rows\"?"))
            let unwritable = await train(["--data", data, "--output", folder.file("no/m")])
            #expect(unwritable.code == 1 && unwritable.error.contains("cannot be written") && unwritable.out.isEmpty)
            let directory = await train(["--data", data, "--output", folder.path])
            #expect(directory.code == 1 && directory.error.contains("is a folder"))
            for folds in ["1", "101", "-3"] {
                #expect(await train(["--data", data, "--folds=\(folds)", "--output", folder.file("m")]).code == 2)
            }
            let momentum = await train(["--data", data, "--momentum", "0.9"])
            #expect(momentum.code == 2 && momentum.error.contains("train.momentum: is of sgd"))
            let noise = await train(["--data", data, "--set", "model.initial_state_noise=true"])
            #expect(noise.code == 1 && noise.error.contains("model.initial_state_noise: has nothing to draw with"))
        }
    }
}
