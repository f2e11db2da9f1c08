import ArgumentParser
import Testing

@testable import SluiceCommands

@Suite struct CommandLineEntryTests {
    @Test func helpIsAsRecorded() throws {
        try expectSnapshot(Sluice.helpMessage(columns: 80), "help")
        try expectSnapshot(Sluice.helpMessage(for: Streams.self, columns: 80), "help-streams")
        try expectSnapshot(Sluice.helpMessage(for: StreamsList.self, columns: 80), "help-streams-list")
        try expectSnapshot(Sluice.helpMessage(for: StreamsShow.self, columns: 80), "help-streams-show")
        try expectSnapshot(Sluice.helpMessage(for: StreamsWatch.self, columns: 80), "help-streams-watch")
        try expectSnapshot(Sluice.helpMessage(for: StreamsReset.self, columns: 80), "help-streams-reset")
    }

    @Test func helpIs0OnStdout() async {
        for arguments in [["--help"], ["streams", "--help"], ["streams", "reset", "-h"], []] {
            let result = await sluice(list: arguments)
            #expect(result.code == 0)
            #expect(result.out.contains("USAGE:"))
            #expect(result.error.isEmpty)
        }
        #expect(await sluice("--version").out == "0.1.0\n")
    }

    @Test(arguments: [
        ["nonsense"], ["streams", "nonsense"], ["streams", "list", "--limt", "3"],
        ["streams", "list", "--limit", "x"],
        ["streams", "list", "--limit", "0"], ["streams", "show"], ["streams", "reset"],
        ["streams", "reset", "a", "--all"], ["streams", "reset", "--prefix", ""],
        ["streams", "reset", "a", "--dry-run"],
        ["streams", "watch", "--interval", "0"], ["streams", "list", "--url", "nowhere"],
    ])
    func wrongUsageIs2OnStderr(arguments: [String]) async {
        let result = await sluice(list: arguments)
        #expect(result.code == 2)
        #expect(result.error.hasPrefix("error: "))
        #expect(result.error.contains("sluice"))
        #expect(result.out.isEmpty)
    }
}
