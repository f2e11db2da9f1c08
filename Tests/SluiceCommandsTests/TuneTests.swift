import Foundation
import SluiceLSTM
import SluiceModelFile
import SluiceTraining
import Testing

@testable import SluiceCommands

@Suite struct TuneTests {
    private static let csv =
        "stream,time,wave\n" + (0..<300).map { "s,\($0 * 1_000),\(sin(Double($0) * 0.5))\n" }.joined()

    private static let small = ["--horizons", "1", "--head", "point", "--rows", "4", "--epochs", "6"]

    private func train(_ data: String, _ arguments: [String]) async -> CommandResult {
        let hidden = arguments.contains("--hidden") ? [] : ["--hidden", "4"]
        return await sluice(list: ["train", "--data", data] + Self.small + hidden + arguments)
    }

    @Test func theModelIsThatOfThePrintedFlagsWithoutASearch() async throws {
        try await withFolder { folder in
            let data = try folder.write(Self.csv, "wave.csv")
            let tuned = await train(data, ["--tune", "5", "--threads", "1", "--output", folder.file("a")])
            #expect(tuned.code == 0)
            let columns = ["TRIAL", "CHUNK", "HIDDEN", "RATE", "POLICY", "EPOCHS", "LOSS", "RUNG"]
            #expect(tuned.out.lines.contains { $0.split(separator: " ").map(String.init) == columns })
            #expect(tuned.out.lines.contains { $0.hasPrefix("rung 2 of 2: 2 trials, up to 2 epochs, best loss ") })
            let flags = try #require(tuned.out.lines.first { $0.hasPrefix("  --carry ") })
            let plain = await train(
                data, flags.split(separator: " ").map(String.init) + ["--threads", "1", "--output", folder.file("b")])
            #expect(plain.code == 0)
            #expect(try folder.data("a") == folder.data("b"))
        }
    }

    @Test func jsonIsALineForEachTrialAndRungAndTheSameWhateverRunsAtATime() async throws {
        try await withFolder { folder in
            let data = try folder.write(Self.csv, "wave.csv")
            func objects(_ threads: String) async throws -> [[String: Any]] {
                let result = await train(
                    data, ["--tune", "5", "--json", "--threads", threads, "--output", folder.file("m")])
                #expect(result.code == 0 && result.error.isEmpty)
                return try result.out.lines.map {
                    try #require(try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any])
                }
            }
            let (alone, together) = (try await objects("1"), try await objects("4"))
            let rows = alone.filter { $0["trial"] != nil }
            #expect(rows.map { $0["rung"] as? Int } == [1, 1, 1, 1, 1, 2, 2])
            #expect(rows.allSatisfy { $0["loss"] is Double && $0["learning_rate"] is Double && $0["carry"] is String })
            #expect(alone[7]["best_trial"] as? Int == rows[5]["trial"] as? Int)
            #expect(rows as NSArray == together.filter { $0["trial"] != nil } as NSArray)
            let model = try ModelFile.read(folder.file("m"))
            #expect(model.parameters.shape.hidden == alone[7]["hidden"] as? Int)
        }
    }

    @Test func anInterruptedSearchGoesOnToTheSameFileAndTable() async throws {
        try await withFolder { folder in
            let data = try folder.write(Self.csv, "wave.csv")
            let (run, other) = (folder.file("run"), folder.file("other"))
            let whole = await train(data, ["--tune", "5", "--run", run, "--output", folder.file("a")])
            #expect(whole.code == 0)
            // As it is left by a crash in the second rung: no checkpoint of the training yet.
            let record = try #require(try TuningFile(folder: run).read())
            #expect(record.rows.count == 7)
            var file = try #require(
                try JSONSerialization.jsonObject(with: folder.data("run/tuning.json")) as? [String: Any])
            file["rows"] = Array(try #require(file["rows"] as? [Any]).prefix(6))
            try FileManager.default.createDirectory(atPath: other, withIntermediateDirectories: false)
            try JSONSerialization.data(withJSONObject: file).write(to: URL(filePath: other + "/tuning.json"))

            let resumed = await train(data, ["--tune", "5", "--resume", other, "--output", folder.file("b")])
            #expect(resumed.code == 0)
            func untilTraining(_ text: String) -> [Substring] {
                Array(text.lines.prefix { !$0.hasPrefix("epoch ") })
            }
            #expect(untilTraining(resumed.out) == untilTraining(whole.out))
            #expect(try folder.data("a") == folder.data("b"))
            #expect(try TuningFile(folder: other).read() == record)

            // All is done already.
            let again = await train(data, ["--tune", "5", "--resume", other, "--output", folder.file("c")])
            #expect(again.code == 0 && untilTraining(again.out).prefix(5) == untilTraining(whole.out).prefix(5))
            #expect(try folder.data("a") == folder.data("c"))
        }
    }

    /// Interrupted in its second rung: what it was by then is written, and the search can go on.
    @Test func anInterruptedSearchLeavesItsBestTrial() async throws {
        try await withFolder { folder in
            let data = try folder.write(Self.csv, "wave.csv")
            let (run, model) = (folder.file("run"), folder.file("m"))
            let config = try folder.write("model: {hidden: 4}", "small.yaml")
            let long = ["-c", config, "--tune", "9", "--epochs", "3000", "--patience", "0", "--threads", "1"]
            let result = await sluice(
                list: ["train", "--data", data, "--run", run, "--output", model] + Self.small.dropLast(2) + long
            ) { $0.contains("rung 1 of ") }
            #expect(result.code == 0, "\(result.error)")
            let written = try #require(result.out.lines.first { $0.hasPrefix("interrupted before the model's own") })
            let record = try #require(try TuningFile(folder: run).read())
            let best = try #require(record.rows.min { ($0.loss ?? .infinity) < ($1.loss ?? .infinity) })
            #expect(written.contains("trial \(best.trial.number) of the search, the best so far"))
            #expect(written.hasSuffix("after \(best.epochs) epochs"))
            #expect(result.error.contains("the same command with --resume \(run) goes on from there"))
            #expect(try ModelFile.read(model).parameters.shape.hidden == best.trial.hidden)
            let html = try folder.read("run/report.html")
            #expect(html.contains("the model is trial \(best.trial.number) as it was"))
            #expect(try folder.read("run/configuration.yaml").contains("chunk: \(best.trial.chunk) "))
            #expect(!FileManager.default.fileExists(atPath: run + "/checkpoint"))
        }
    }

    @Test func whatIsGivenIsNotSearched() async throws {
        try await withFolder { folder in
            let data = try folder.write(Self.csv, "wave.csv")
            let given = ["--tune", "5", "--json", "--output", folder.file("m"), "--chunk", "48", "--set"]
            let result = await train(data, given + ["train.learning_rate=0.003"])
            #expect(result.code == 0, "\(result.error)")
            let trials = try result.out.lines.compactMap {
                let object = try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any]
                return object?["trial"] == nil || object?["rung"] == nil ? nil : object
            }
            #expect(trials.count == 7 && trials.allSatisfy { $0["chunk"] as? Int == 48 && $0["hidden"] as? Int == 4 })
            #expect(trials.allSatisfy { $0["learning_rate"] as? Double == 0.003 })
            #expect(Set(trials.compactMap { $0["carry"] as? String }).count > 1)
            let all = await train(
                data, ["--tune", "5", "--chunk", "8", "--learning-rate", "0.1", "--carry", "per-batch"])
            #expect(all.code == 2 && all.error.contains("--tune has nothing to search"))
            let plan = await train(data, ["--tune", "5", "--carry", "per-batch x2, across-batches"])
            #expect(plan.code == 2 && plan.error.contains("give --carry just one"))
        }
    }

    @Test func aSearchThatCannotBeMadeIsRefused() async throws {
        try await withFolder { folder in
            let data = try folder.write(Self.csv, "wave.csv")
            for arguments in [["--tune", "0"], ["--tune", "1001"], ["--tune", "3", "--child"]] {
                #expect(await train(data, arguments + ["--output", folder.file("m")]).code == 2, "\(arguments)")
            }
            let blind = await train(
                data, ["--tune", "3", "--validation", "0", "--patience", "0", "--output", folder.file("m")])
            #expect(blind.code == 1 && blind.error.contains("train.validation is 0"))

            let run = folder.file("run")
            #expect(await train(data, ["--tune", "3", "--run", run, "--output", folder.file("a")]).code == 0)
            let other = await train(data, ["--tune", "4", "--resume", run, "--output", folder.file("m")])
            #expect(other.code == 1 && other.error.contains("the search is of another run: trials was 3 and is 4"))
            let anew = await train(data, ["--tune", "3", "--run", run, "--output", folder.file("m")])
            #expect(anew.code == 1 && anew.error.contains("is there already"))
            try folder.write("{", "run/tuning.json")
            let damaged = await train(data, ["--tune", "3", "--resume", run, "--output", folder.file("m")])
            #expect(damaged.code == 1 && damaged.error.contains("tuning.json is damaged"))
            #expect(!FileManager.default.fileExists(atPath: folder.file("m")))
        }
    }
}
