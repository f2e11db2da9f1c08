import Foundation
import SluiceCore
import SluiceLSTM
import SluiceModelFile
import Testing

@testable import SluiceCommands

@Suite struct TrainReportTests {
    /// An observation a minute of each stream; a sine, then whatever `late` makes of the last fifth.
    private func csv(streams: Int = 2, rows: Int = 200, late: (Double) -> Double = { $0 }) -> String {
        var text = "stream,time,wave,load\n"
        for row in 0..<rows {
            for stream in 0..<streams {
                let wave = sin(Double(row) * 0.5 + Double(stream))
                let time = 1_767_225_600_000 + row * 60_000
                text += "s\(stream),\(time),\(row < rows * 4 / 5 ? wave : late(wave)),\(row % 3)\n"
            }
        }
        return text
    }

    private let small = [
        "--hidden", "4", "--horizons", "1,3", "--epochs", "2", "--chunk", "16", "--rows", "4", "--threads", "1",
        "--learning-rate", "0.01",
    ]

    private func object(_ text: some StringProtocol) throws -> [String: Any] {
        try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
    }

    @Test func aRunLeavesAFolderWithItsReport() async throws {
        try await withFolder { folder in
            let data = try folder.write(csv() + "broken\n", "wave.csv")
            let result = await sluice(
                list: [
                    "train", "--data", data, "--output", folder.file("m"), "--run", folder.file("a/run"), "--set",
                    "kafka.sasl.password=hush",
                ] + small)
            #expect(result.code == 0, "\(result.error)")
            #expect(result.out.contains("report: \(folder.file("a/run"))/report.html"))
            #expect(result.out.contains("validation rows, state carried; naive: the last value; covered: of 80.0 %"))
            #expect(result.out.contains("TARGET  AHEAD  FORECASTS"))
            #expect(
                try folder.names(in: "a/run") == ["configuration.yaml", "data.json", "metrics.json", "report.html"])
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder.file("a")) == ["run"])
            let model = try ModelFile.read(folder.file("m"))
            let html = try folder.read("a/run/report.html")
            #expect(html.contains(model.manifest.version) && html.contains("wave.csv") && html.contains("<svg"))
            let yaml = try folder.read("a/run/configuration.yaml")
            #expect(yaml.contains("hidden: 4") && !yaml.contains("hush") && !html.contains("hush"))
            let metrics = try object(try folder.read("a/run/metrics.json"))
            #expect((metrics["epochs"] as? [Any])?.count == 2)
            let outcome = try #require(metrics["result"] as? [String: Any])
            let errors = try #require(outcome["errors"] as? [String: Any])
            let horizons = try #require(errors["horizons"] as? [[String: Any]])
            #expect(horizons.map { $0["horizon"] as? Int } == [1, 3] && horizons[0]["coverage"] is Double)
            #expect(outcome["sha256"] as? String == model.hash)
        }
    }

    @Test func theModelKnowsWhatItWasTrainedOn() async throws {
        try await withFolder { folder in
            let text = csv() + "broken\n"
            let first = try folder.write(text, "first.csv")
            let second = try folder.write(
                #"{"stream":"x","time":"2026-01-02T00:00:00Z","values":{"wave":1,"load":2}}"#, "second.ndjson")
            let result = await sluice(
                list: ["train", "--data", first, second, "--output", folder.file("m.safetensors")] + small)
            #expect(result.code == 0, "\(result.error)")
            let data = try #require(try ModelFile.read(folder.file("m.safetensors")).data)
            #expect(data.observations == 401 && data.streams == 3 && data.rejects == ["csv-invalid": 1])
            #expect(data.topic == nil && data.files.map(\.name) == ["first.csv", "second.ndjson"])
            #expect(data.files[0].bytes == text.utf8.count && data.files[0].observations == 400)
            #expect(data.files[0].rejects == 1 && data.files[1].rejects == 0)
            #expect(data.files[0].first == "2026-01-01T00:00:00Z" && data.files[0].last == "2026-01-01T03:19:00Z")
            let hash = SHA256.hash(Array(text.utf8).span.bytes).hexadecimal
            #expect(data.files[0].sha256 == hash)
            #expect(data.heldOut.by == "time" && data.heldOut.validationFrom == "2026-01-01T02:50:00Z")
            let shown = await sluice("models", "show", folder.file("m.safetensors"))
            #expect(shown.code == 0 && shown.out.contains(hash) && shown.out.contains("401 observations of 3 streams"))
            let json = await sluice("models", "show", folder.file("m.safetensors"), "--json")
            #expect((try object(json.out)["data"] as? [String: Any])?["observations"] as? Int == 401)
            // A second training on the same data, at another time: the same bytes.
            let again = await sluice(list: ["train", "--data", first, second, "--output", folder.file("n")] + small)
            #expect(try again.code == 0 && folder.data("n") == folder.data("m.safetensors"))
            let runs = try FileManager.default.contentsOfDirectory(atPath: folder.file("runs"))
            #expect(
                runs.count == 2 && runs.allSatisfy { $0.hasPrefix("20") && $0.hasSuffix("Z") || $0.hasSuffix("Z-2") })
            #expect(try folder.read("runs/\(runs[0])/data.json").contains(hash))
        }
    }

    @Test func aFolderThatIsThereOrCannotBeMadeIsToldBeforeTraining() async throws {
        try await withFolder { folder in
            let data = try folder.write(csv(), "wave.csv")
            try folder.write("", "taken")
            for (run, message) in [("taken", "is there already"), ("taken/below", "cannot be made")] {
                let result = await sluice(
                    list: ["train", "--data", data, "--output", folder.file("m"), "--run", folder.file(run)] + small)
                #expect(result.code == 1 && result.out.isEmpty && result.error.contains(message))
                #expect(!FileManager.default.fileExists(atPath: folder.file("m")))
            }
            // A failure that comes later leaves the model, and says so first; with the checkpoint all can be had again.
            let late = await sluice(
                list: ["train", "--data", data, "--output", folder.file("m"), "--run", folder.file("late")] + small
            ) { text in
                if text.contains("epoch   2") { try? folder.make("late/report.html") }
                return false
            }
            #expect(late.code == 1 && late.error.contains("report.html cannot be written"))
            #expect(late.out.contains("wrote ") && !late.out.contains("report: "))
            #expect(try folder.names(in: "late") == ["checkpoint", "report.html"])
            try FileManager.default.removeItem(atPath: folder.file("late/report.html"))
            let again = await sluice(
                list: ["train", "--data", data, "--output", folder.file("n"), "--resume", folder.file("late")] + small)
            #expect(again.code == 0 && again.out.contains("report: \(folder.file("late"))/report.html"))
            #expect(try folder.names(in: "late") == ["configuration.yaml", "data.json", "metrics.json", "report.html"])
            #expect(try folder.data("m") == folder.data("n"))
        }
    }

    @Test func anInterruptedRunLeavesTheReportOfTheBestSoFar() async throws {
        try await withFolder { folder in
            let data = try folder.write(csv(rows: 2_000), "wave.csv")
            let result = await sluice(
                list: [
                    "train", "--data", data, "--output", folder.file("m"), "--run", folder.file("run"), "--epochs",
                    "100000", "--patience", "0", "--hidden", "2", "--horizons", "1",
                ]
            ) { $0.contains("epoch   2") }
            #expect(result.code == 0 && result.out.contains("interrupted: the best model so far is written"))
            #expect(
                result.error.contains("the same command with --resume \(folder.file("run")) goes on from there"))
            #expect(try folder.read("run/report.html").contains("Interrupted: this is the best model until then"))
            let resumed = await sluice(
                list: [
                    "train", "--data", data, "--output", folder.file("m"), "--resume", folder.file("run"), "--epochs",
                    "100000", "--patience", "0", "--hidden", "2", "--horizons", "1",
                ]
            ) { $0.contains("\nepoch ") }
            #expect(resumed.code == 0 && !resumed.out.contains("epoch   2  "))
            #expect(try folder.read("run/report.html").contains("resumed after epoch "))
            #expect(try folder.names(in: "run").contains("checkpoint"))
        }
    }

    @Test(arguments: ["time", "stream"])
    func foldsAreToldOneByOneAndTheModelIsTheOneWithoutThem(by: String) async throws {
        try await withFolder { folder in
            let data = try folder.write(csv(streams: 6), "wave.csv")
            let common = ["train", "--data", data, "--by", by, "--scaling", "global"] + small
            let plain = await sluice(list: common + ["--output", folder.file("plain"), "--run", folder.file("p")])
            let text = await sluice(
                list: common + ["--folds", "2", "--output", folder.file("m"), "--run", folder.file("run")])
            #expect(plain.code == 0 && text.code == 0, "\(text.error)")
            #expect(try folder.data("plain") == folder.data("m"))
            #expect(text.out.lines.filter { $0.hasPrefix("fold ") }.count == 2)
            #expect(text.out.contains("2 folds: loss ") && text.out.contains(" ± "))
            #expect(try folder.read("run/report.html").contains("Cross-validation"))
            let json = await sluice(
                list: common + ["--folds", "2", "--output", folder.file("j"), "--run", folder.file("r"), "--json"])
            let objects = try json.out.lines.map { try object($0) }
            #expect(objects.map { $0["fold"] as? Int } == [1, 2, nil, nil, nil])
            #expect((objects[0]["carried"] as? [String: Any])?["loss"] is Double)
            let folds = try #require(objects[4]["folds"] as? [String: Any])
            #expect(folds["count"] as? Int == 2 && (folds["carried"] as? [String: Any])?["deviation"] is Double)
            #expect(objects[4]["run"] as? String == folder.file("r"))
        }
    }

    /// A back-test that does not look ahead, to the last digit that is told: with the last fifth of the data changed,
    /// the first two folds are the same, and of the third all but what it is measured by.
    @Test func whatIsBehindAFoldDoesNotChangeIt() async throws {
        try await withFolder { folder in
            var told: [[[String: Any]]] = []
            for (name, data) in [("a", csv()), ("b", csv { 50 * $0 + 7 })] {
                let file = try folder.write(data, "\(name).csv")
                let result = await sluice(
                    list: [
                        "train", "--data", file, "--output", folder.file(name), "--scaling", "global", "--folds", "3",
                        "--json",
                    ] + small)
                #expect(result.code == 0, "\(result.error)")
                told.append(try result.out.lines.prefix(3).map { try object($0) })
            }
            for fold in 0..<2 { #expect(told[0][fold] as NSDictionary == told[1][fold] as NSDictionary) }
            #expect(told[0][2]["loss"] as? Double == told[1][2]["loss"] as? Double)
            #expect(told[0][2]["carried"] as? NSDictionary != told[1][2]["carried"] as? NSDictionary)
        }
    }

    @Test func anInterruptionDuringTheFoldsWritesNothing() async throws {
        try await withFolder { folder in
            let data = try folder.write(csv(rows: 1_000), "wave.csv")
            let result = await sluice(
                list: [
                    "train", "--data", data, "--output", folder.file("m"), "--folds", "10", "--epochs", "1000",
                    "--patience", "0",
                    "--hidden", "2", "--horizons", "1",
                ]
            ) { $0.contains("fold 1 of 10") }
            #expect(result.code == 1)
            #expect(
                result.error == "error: interrupted before the model's training began: no model was written (nothing is"
                    + " kept of folds; without --folds the first epoch leaves a model)\n")
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["wave.csv"])
        }
    }

    /// Neither the scaler nor the weights know the values of what is held out.
    @Test func theScalerOfAllStreamsIsMeasuredOnTheTrainingPartAlone() async throws {
        try await withFolder { folder in
            var models: [Data] = []
            for (name, data) in [("a", csv()), ("b", csv(late: { 1_000 * $0 + 7 }))] {
                let file = try folder.write(data, "\(name).csv")
                // The fifth that differs is held out for the test; validation chooses nothing here.
                let result = await sluice(
                    list: [
                        "train", "--data", file, "--output", folder.file(name), "--scaling", "global", "--validation",
                        "0", "--test", "0.2",
                    ] + small)
                #expect(result.code == 0, "\(result.error)")
                let model = try ModelFile.read(folder.file(name))
                models.append(model.parameters.values.withUnsafeBytes { Data($0) })
                #expect(abs(try #require(model.scaler).mean[0]) < 0.1)
            }
            #expect(models[0] == models[1])
        }
    }
}
