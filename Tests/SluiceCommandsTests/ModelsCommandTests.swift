import Foundation
import SluiceAdminTestKit
import Testing

@testable import SluiceCommands

@Suite struct ModelsCommandTests {
    @Test func listMarksTheActiveModel() async throws {
        try await withService { url in
            let result = await sluice("models", "list", "--url", url)
            #expect(result.code == 0)
            try expectSnapshot(result.out, "models-list")
        }
    }

    @Test func showKnowsOneModel() async throws {
        try await withService { url in
            let result = await sluice("models", "show", "v7", "--url", url)
            #expect(result.code == 0)
            try expectSnapshot(result.out, "models-show")
            let missing = await sluice("models", "show", "v9", "--url", url)
            #expect(missing.code == 1 && missing.error.contains("no model v9"))
        }
    }

    @Test func promoteAndRollBackSayWhatPredicts() async throws {
        let backend = FakeBackend()
        try await withService(backend) { url in
            let promoted = await sluice("models", "promote", "v6", "--url", url)
            #expect(promoted.out == "model v6 predicts on every partition, it was v7\n")
            let back = await sluice("models", "rollback", "--url", url, "--json")
            #expect(back.out == #"{"version":"v6","previous":"v6","settled":true}"# + "\n")
            let missing = await sluice("models", "promote", "v9", "--url", url)
            #expect(missing.code == 1 && missing.error.contains("no model v9"))
        }
        #expect(backend.resets == ["promote v6 by 127.0.0.1", "promote v6 by 127.0.0.1"])
    }

    @Test func aFileIsBroughtAndTakenOut() async throws {
        let file = NSTemporaryDirectory() + "sluice-model-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: file) }
        try await withService { url in
            let out = await sluice("models", "export", "v7", "--output", file, "--url", url)
            #expect(out.code == 0 && out.out == "model v7 in \(file)\n")
            let written = try String(contentsOfFile: file, encoding: .utf8)
            #expect(written == "file of v7")
            try Data("v8".utf8).write(to: URL(fileURLWithPath: file))
            let brought = await sluice("models", "import", file, "--url", url)
            #expect(brought.out == "model v8 is there; 'sluice models promote v8' lets it predict\n")
            let missing = await sluice("models", "import", file + "s", "--url", url)
            #expect(missing.code == 1 && missing.error.contains("there is no model file"))
        }
    }
}
