import Foundation
import SluiceCore
import SluiceLSTM
import SluiceTraining
import Testing

@testable import SluiceCommands

@Suite struct CheckpointFileTests {
    private static let csv =
        "stream,time,wave\n" + (0..<120).map { "s,\($0 * 1_000),\(sin(Double($0) * 0.5))\n" }.joined()

    private static let small = [
        "--hidden", "4", "--horizons", "1", "--head", "point", "--chunk", "16", "--rows", "4", "--threads", "1",
        "--patience", "0", "--epochs", "6",
    ]

    @Test func aRunThatDiedIsResumedInItsFolderToTheSameFiles() async throws {
        try await withFolder { folder in
            let data = try folder.write(Self.csv, "wave.csv")
            func train(
                _ arguments: String..., data: String = data, at text: String = "nothing",
                _ body: @escaping @Sendable () -> Void = {}
            ) async -> CommandResult {
                await sluice(list: ["train", "--data", data] + Self.small + arguments) { out in
                    if out.contains(text) { body() }
                    return false
                }
            }
            let run = folder.file("run")
            #expect(await train("--output", folder.file("a"), "--run", folder.file("whole")).code == 0)
            // The third checkpoint cannot be written: what would stand beside the second is taken.
            let died = await train("--output", folder.file("b"), "--run", run, at: "epoch   3") {
                try? folder.make("run/checkpoint.new")
            }
            #expect(died.code == 1 && died.error.contains("go on after epoch 2 with --resume \(run)"), "\(died.error)")
            try FileManager.default.removeItem(atPath: folder.file("run/checkpoint.new"))
            #expect(try folder.names(in: "run") == ["checkpoint"])

            let longer = await train("--epochs=7", "--output", folder.file("b"), "--resume", run)
            #expect(longer.code == 1 && longer.error.contains("another run: train.epochs was 6 and is 7"))
            let other = try folder.write(Self.csv + "s,120000,0.5\n", "other.csv")
            let longerData = await train("--output", folder.file("b"), "--resume", run, data: other)
            #expect(longerData.error.contains("another run: data was 120 observations of 1 streams"))
            let anew = await train("--output", folder.file("b"), "--run", run)
            #expect(anew.code == 1 && anew.error.contains("go on with the run in this one by --resume \(run)"))
            #expect(await train("--run", run, "--resume", run).code == 2)
            #expect(!FileManager.default.fileExists(atPath: folder.file("b")))

            let resumed = await train("--output", folder.file("b"), "--resume", run)
            #expect(resumed.code == 0 && resumed.out.contains("epoch   3  ") && !resumed.out.contains("epoch   2  "))
            #expect(try folder.data("a") == folder.data("b"))
            #expect(try folder.read("whole/metrics.json") == folder.read("run/metrics.json"))
            #expect(try folder.read("run/report.html").contains("resumed after epoch 2"))
            // A run that is over keeps no checkpoint.
            #expect(!FileManager.default.fileExists(atPath: folder.file("run/checkpoint")))
            let over = await train("--output", folder.file("b"), "--resume", run)
            #expect(over.code == 1 && over.error.contains("run holds no checkpoint"))
        }
    }

    /// A checkpoint of a small run, without validation: its best loss is infinite.
    private func checkpoint() throws -> TrainingCheckpoint {
        var series = TrainingSeries(name: "s")
        for row in 0..<40 {
            series.inputs.append(Float(row % 5))
            series.targets.append(Float(row % 5))
            series.center.append(0)
            series.scale.append(1)
            series.boundary.append(row == 0)
            series.warm.append(true)
            series.times.append(Int64(row))
        }
        let manifest = ModelManifest(name: "m", version: "v", inputs: ["x"], targets: ["x"])
        var configuration = TrainingConfiguration()
        (configuration.epochs, configuration.validation, configuration.threads) = (2, 0, 1)
        var kept: TrainingCheckpoint?
        _ = try Trainer.train(
            try Dataset([series], for: manifest), manifest: manifest,
            shape: LSTMShape(inputs: 1, hidden: 3, layers: 1, outputs: 1), configuration: configuration,
            checkpoint: { kept = $0 })
        return try #require(kept)
    }

    @Test func whatIsWrittenReadsBackAndWhatIsDamagedDoesNot() throws {
        let checkpoint = try checkpoint()
        let bytes = try CheckpointFile.encode(checkpoint)
        #expect(CheckpointFile.decode(bytes) == checkpoint)
        for count in [0, 7, 8, 16, bytes.count / 2, bytes.count - 1] {
            #expect(CheckpointFile.decode(Array(bytes.prefix(count))) == nil)
        }
        for place in stride(from: 0, to: bytes.count, by: 37) {
            var damaged = bytes
            damaged[place] ^= 0x10
            #expect(CheckpointFile.decode(damaged) == nil)
        }
    }

    @Test func aFullDiskLeavesTheCheckpointBefore() async throws {
        try await withFolder { folder in
            let checkpoint = try checkpoint()
            // What would be written beside the file cannot be: its name is taken by a folder.
            try folder.make("run")
            let file = CheckpointFile(folder: folder.file("run"))
            try file.write(checkpoint)
            try folder.make("run/checkpoint.new")
            let error = #expect(throws: SluiceError.self) { try file.write(checkpoint) }
            #expect(error?.code == .file && error?.remedy?.contains("--resume") == true)
            #expect(try file.read() == checkpoint)
        }
    }
}
