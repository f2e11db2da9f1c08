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
        "--patience", "0",
    ]

    @Test func aRunIsKeptAndResumedWithItsOwnSettingsAlone() async throws {
        try await withFolder { folder in
            let data = try folder.write(Self.csv, "wave.csv")
            func train(_ arguments: String...) async -> (code: Int32, out: String, error: String) {
                let result = await sluice(list: ["train", "--data", data] + Self.small + arguments)
                return (result.code, result.out, result.error)
            }
            let run = folder.file("runs/a")
            #expect(await train("--epochs", "3", "--output", folder.file("a"), "--run", run).code == 0)
            // Of a run that has ended nothing is left to train.
            let again = await train("--epochs", "3", "--output", folder.file("b"), "--resume", run)
            #expect(again.code == 0 && !again.out.contains("epoch   3  train"))
            #expect(try folder.data("a") == folder.data("b"))

            let other = await train("--epochs", "4", "--output", folder.file("c"), "--resume", run)
            #expect(other.code == 1 && other.error.contains("another run: train.epochs was 3 and is 4"))
            let anew = await train("--output", folder.file("c"), "--run", run)
            #expect(anew.code == 1 && anew.error.contains("holds the checkpoint of a run already"))
            let absent = await train("--output", folder.file("c"), "--resume", folder.file("nothing"))
            #expect(absent.code == 1 && absent.error.contains("nothing holds no checkpoint"))
            #expect(await train("--run", run, "--resume", run).code == 2)
            #expect(!FileManager.default.fileExists(atPath: folder.file("c")))
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
            let file = try CheckpointFile.begin(folder: folder.file("run"))
            try file.write(checkpoint)
            try FileManager.default.createDirectory(
                atPath: folder.file("run/checkpoint.new"), withIntermediateDirectories: false)
            let error = #expect(throws: SluiceError.self) { try file.write(checkpoint) }
            #expect(error?.code == .file && error?.remedy?.contains("--resume") == true)
            #expect(try file.read() == checkpoint)
        }
    }
}
