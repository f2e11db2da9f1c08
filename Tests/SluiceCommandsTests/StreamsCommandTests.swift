import Foundation
import SluiceAdmin
import SluiceAdminTestKit
import SluiceCore
import Testing

@testable import SluiceCommands

@Suite struct StreamsCommandTests {
    @Test func listShowsATable() async throws {
        try await withService { url in
            let result = await sluice("streams", "list", "--url", url)
            #expect(result.code == 0)
            #expect(result.error.isEmpty)
            try expectSnapshot(result.out, "streams-list")
        }
    }

    @Test func listFollowsPagesUpToItsLimit() async throws {
        let keys = (0..<2_300).map { "s-" + String(10_000 + $0) }
        try await withService(FakeBackend(keys: keys)) { url in
            let result = await sluice("streams", "list", "--url", url, "--limit", "2100")
            let lines = result.out.split(separator: "\n")
            #expect(lines.count == 2_101)
            #expect(lines.last?.hasPrefix("s-12099 ") == true)
            #expect(result.error == "there are more: --limit N, or --after 's-12099'\n")
            let rest = await sluice("streams", "list", "--url", url, "--limit", "500", "--after", "s-12099")
            #expect(rest.out.split(separator: "\n").count == 201)
            #expect(rest.error.isEmpty)
            let json = await sluice("streams", "list", "--url", url, "--limit", "1500", "--json")
            let pages = try json.out.split(separator: "\n").map {
                try JSONDecoder().decode(StreamPage.self, from: Data($0.utf8))
            }
            #expect(pages.map(\.streams.count) == [1_000, 500])
        }
    }

    @Test func listWithoutMatchesSaysSo() async throws {
        try await withService { url in
            let result = await sluice("streams", "list", "--prefix", "none", environment: ["SLUICE_URL": url])
            #expect(result == CommandResult(code: 0, out: "", error: "no streams begin with 'none'\n"))
        }
    }

    @Test func showPrintsTheSlot() async throws {
        try await withService { url in
            let result = await sluice("streams", "show", "pump-17", "--url", url, "--full")
            #expect(result.code == 0)
            try expectSnapshot(result.out, "streams-show")
        }
    }

    @Test(arguments: ["a/b", "ä", "100%", "plant 3", "reset", "..", "a?b#c", "x+y&z=1"])
    func anyKeyCanBeShownAndReset(key: String) async throws {
        let backend = FakeBackend(keys: [key])
        try await withService(backend) { url in
            let shown = await sluice("streams", "show", key, "--url", url + "/", "--json")
            var expected = try backend.stream(key, fullState: false)
            // Only in the event.
            expected?.horizon = nil
            #expect(try JSONDecoder().decode(StreamSlot.self, from: Data(shown.out.utf8)) == expected)
            let listed = await sluice("streams", "list", "--prefix", key, "--url", url)
            #expect(listed.out.contains(key))
            #expect(await sluice("streams", "reset", key, "--url", url).code == 0)
            #expect(backend.resets == ["stream \(key) by 127.0.0.1"])
        }
    }

    @Test func jsonIsTheBodyItself() async throws {
        try await withService { url in
            let result = await sluice("streams", "reset", "pump-17", "--url", url, "--json")
            #expect(result.out == #"{"id":"r-1","stream":"pump-17","partition":1,"offset":12346}"# + "\n")
        }
    }

    @Test func resetSaysWhatBecameOfIt() async throws {
        let backend = FakeBackend()
        try await withService(backend) { url in
            let applied = await sluice("streams", "reset", "pump-17", "--url", url)
            #expect(applied.out == "reset pump-17: fresh from offset 12346 of partition 1 on (r-1)\n")
            backend.change { $0.isSlow = true }
            let pending = await sluice("streams", "reset", "pump-17", "--url", url)
            #expect(
                pending.out == "reset r-2 of pump-17 is queued: it was not applied within 10 s\n"
                    + "once it is, the events topic records r-2, and 'sluice streams show pump-17' counts it\n")
            #expect(pending.code == 0)
        }
    }

    @Test func resetOfManyNeedsAYes() async throws {
        let backend = FakeBackend()
        try await withService(backend) { url in
            let dry = await sluice("streams", "reset", "--prefix", "pump-", "--dry-run", "--url", url)
            #expect(dry == CommandResult(code: 0, out: "2 streams would be reset\n", error: ""))
            let unasked = await sluice("streams", "reset", "--all", "--url", url)
            #expect(unasked.code == 2 && unasked.out.isEmpty)
            #expect(
                unasked.error.hasPrefix(
                    "error: There is no terminal to ask on: say --yes to reset many streams, --dry-run to count them.\n"
                        + "Usage: sluice streams reset "))
            #expect(unasked.error.hasSuffix("See 'sluice streams reset --help' for more information.\n"))
            let refused = await sluice("streams", "reset", "--all", "--url", url, answers: ["n"])
            #expect(
                refused == CommandResult(code: 1, out: "", error: "Reset 7 streams? [y/N] nothing was reset\n"))
            #expect(backend.resets.isEmpty)
            let agreed = await sluice("streams", "reset", "--prefix", "pump-", "--url", url, answers: ["y"])
            #expect(
                agreed.out == "reset r-1 of 2 streams is queued\n"
                    + "the events topic records r-1 in each partition where it is applied\n")
            let scripted = await sluice("streams", "reset", "--all", "--yes", "--json", "--url", url)
            #expect(scripted.out == "{\"id\":\"r-2\",\"matched\":7}\n")
            #expect(backend.resets == [#"prefix("pump-") by 127.0.0.1"#, "all by 127.0.0.1"])
        }
    }

    @Test func problemsTextIsTheError() async throws {
        let backend = FakeBackend()
        try await withService(backend) { url in
            let unknown = await sluice("streams", "show", "nobody", "--url", url)
            #expect(unknown == CommandResult(code: 1, out: "", error: "error: no stream nobody has been seen\n"))
            backend.change { $0.failure = SluiceError(.broker, "no broker at b:1", retry: .later) }
            let broken = await sluice("streams", "list", "--url", url)
            #expect(broken == CommandResult(code: 1, out: "", error: "error: no broker at b:1\n"))
        }
    }

    @Test func nobodyThereIsSaidWithTheRemedy() async {
        let result = await sluice("streams", "list", "--url", "http://127.0.0.1:1")
        #expect(
            result
                == CommandResult(
                    code: 1, out: "",
                    error: "error: no service answers at http://127.0.0.1:1 (start one with 'sluice serve', or name"
                        + " another with --url or SLUICE_URL)\n"))
    }

    @Test func otherProgramsAreNotTakenForSluice() async throws {
        try await withService { url in
            let result = await sluice("streams", "list", "--url", url + "/metrics")
            #expect(result.code == 1)
            #expect(result.error.contains("not a path of this service"))
        }
    }
}
