import Foundation
import Testing

@testable import SluiceService

/// A training that `serve` has started stays behind whatever else runs, also where the service itself comes first.
@Suite struct TrainChildTests {
    /// Fields 19 and 41 of `/proc/…/stat`: nice, and the scheduling policy, 0 for the usual one and 2 for round-robin.
    struct Priority: Hashable {
        var nice: Int
        var policy: Int

        init(task: String) throws {
            let text = try String(contentsOfFile: task + "/stat", encoding: .utf8)
            // The name, in brackets, may have blanks.
            let fields = text[(text.lastIndex(of: ")") ?? text.startIndex)...].split(separator: " ")
            (nice, policy) = (try #require(Int(fields[17])), try #require(Int(fields[39])))
        }

        init(nice: Int, policy: Int) { (self.nice, self.policy) = (nice, policy) }
    }

    private static let mayComeFirst: Bool = {
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/chrt")
        process.arguments = ["-r", "1", "true"]
        process.standardError = FileHandle.nullDevice
        guard (try? process.run()) != nil else { return false }
        process.waitUntilExit()
        return process.terminationStatus == 0
    }()

    private func priorities(_ command: [String]) throws -> Set<Priority> {
        let folder = NSTemporaryDirectory() + "sluice-child-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let rows = (0..<400).map { "s\($0 % 4),\($0 * 1_000),\(Double($0 % 7))" }
        let data = folder + "/data.csv"
        try (["stream,time,a"] + rows).joined(separator: "\n").write(toFile: data, atomically: false, encoding: .utf8)
        let process = Process()
        process.executableURL = URL(filePath: command[0])
        process.arguments =
            command.dropFirst() + [
                "train", "--child", "--data", data, "--hidden", "4", "--epochs", "100000", "--patience", "0",
                "--output", folder + "/model",
            ]
        let (input, output) = (Pipe(), Pipe())
        (process.standardInput, process.standardOutput, process.standardError) = (input, output, output)
        try process.run()
        // It says something after the first epoch.
        #expect(!output.fileHandleForReading.availableData.isEmpty)
        let tasks = "/proc/\(process.processIdentifier)/task"
        let found = try FileManager.default.contentsOfDirectory(atPath: tasks).map {
            try Priority(task: tasks + "/" + $0)
        }
        try input.fileHandleForWriting.close()
        _ = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return Set(found)
    }

    @Test func everyThreadHasTheLowestPriority() throws {
        let found = try priorities([TrainingLaunch.built.executable])
        #expect(found == [Priority(nice: 19, policy: 0)])
    }

    @Test(.enabled(if: mayComeFirst, "a real-time priority is not permitted here"))
    func aRealTimePriorityOfTheServiceIsNotInherited() throws {
        let found = try priorities(["/usr/bin/chrt", "-r", "1", TrainingLaunch.built.executable])
        #expect(found == [Priority(nice: 19, policy: 0)])
    }
}
