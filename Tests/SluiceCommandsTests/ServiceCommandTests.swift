import Foundation
import Testing

@testable import SluiceCommands

@Suite struct ServiceCommandTests {
    /// `body` with the address of an embedded broker that `sluice broker` runs.
    private func withBroker(_ body: @escaping @Sendable (String) async throws -> Void) async throws {
        let (addresses, found) = AsyncStream<String>.makeStream()
        let console = Console(
            out: { found.yield($0) }, error: { _ in }, read: { nil }, isTerminal: false, isInteractive: false,
            environment: [:])
        let broker = Task {
            await Console.$current.withValue(console) { await CommandLineEntry.run(["broker", "--port", "0"]) }
        }
        for await line in addresses {
            try await body(line.trimmingCharacters(in: .newlines))
            break
        }
        broker.cancel()
        #expect(await broker.value == 0)
    }

    private func configuration(_ folder: Folder, _ bootstrap: String) throws -> String {
        try folder.write(
            """
            application: commands
            kafka: {bootstrap.servers: "\(bootstrap)"}
            input: {topic: in, features: {x: /values/x, y: /values/y}}
            output: {topic: out}
            state: {directory: "\(folder.file("state"))"}
            admin: {listen: "127.0.0.1:0"}
            """, "sluice.yaml")
    }

    @Test func topicsAreMissingThenMadeThenRight() async throws {
        try await withBroker { bootstrap in
            try await withFolder { folder in
                let config = try configuration(folder, bootstrap)
                let missing = await sluice("topics", "check", "-c", config)
                #expect(missing.code == 1 && missing.error.contains("the topic in does not exist"))
                let made = await sluice("topics", "create", "-c", config)
                #expect(made.code == 0 && made.out.lines.count == 5)
                let right = await sluice("topics", "check", "-c", config)
                #expect(right.code == 0 && right.out.lines.dropFirst().allSatisfy { $0.hasSuffix("right") })
                #expect(await sluice("topics", "create", "-c", config) == CommandResult(code: 0, out: "", error: ""))
                let json = await sluice("topics", "check", "-c", config, "--json")
                #expect(json.out.hasPrefix(#"{"topics":[{"topic":"in","exists":true,"partitions":4,"#))
            }
        }
    }

    @Test func aModelMustFitTheConfiguration() async throws {
        try await withFolder { folder in
            let config = try configuration(folder, "127.0.0.1:1")
            let foreign = await sluice(
                "serve", "-c", config, "--model", try folder.model("other.safetensors", inputs: ["z"]))
            #expect(foreign.code == 1 && foreign.error.contains("\"z\" is not among input.features"))
            // No broker is asked: nobody listens there.
            let unwritable = await sluice("serve", "-c", config, "--set", "state.directory=/proc/sluice/state")
            #expect(unwritable.code == 1 && unwritable.error.contains("the state directory /proc/sluice/state cannot"))
            #expect(unwritable.error.contains("make it writable or set state.directory"))
            let wrong = await sluice("serve", "-c", config, "--model", "none", "--set", "workers=0")
            #expect(wrong.code == 1 && wrong.error.contains("flag: workers: 0 is not between 1 and 1024"))
            let bad = try folder.write("application: a b\n", "bad.yaml")
            let problems = await sluice("serve", "-c", bad)
            #expect(problems.code == 1 && problems.error.contains("\(bad):1: application: "))
        }
    }

    @Test func takenPortsAreRefused() async throws {
        try await withBroker { bootstrap in
            try await withFolder { folder in
                let port = bootstrap.split(separator: ":")[1]
                let broker = await sluice("broker", "--port", String(port))
                #expect(broker.code == 1 && broker.error.contains("port \(port)"))
                let config = try configuration(folder, bootstrap)
                let serve = await sluice(
                    "serve", "-c", config, "--model", try folder.model(), "--set", "admin.listen=127.0.0.1:\(port)",
                    "--log-level", "error")
                #expect(serve.code == 1)
                #expect(serve.error.hasPrefix("error: 127.0.0.1:\(port) is already in use ("))
            }
        }
    }

    @Test func benchmarksPrintOneObjectALine() async throws {
        let step = await sluice(
            "bench", "step", "--inputs", "1", "--hidden", "4", "--layers", "2", "--batch", "1", "--json")
        let train = await sluice(
            list: [
                "bench", "train", "--inputs", "1", "--hidden", "4", "--layers", "1", "--batch", "2", "--steps", "3",
                "--threads", "1", "--json",
            ])
        let engine = await sluice(
            list: [
                "bench", "engine", "--streams", "10", "--features", "2", "--hidden", "4", "--batch", "64", "--seconds",
                "0.01", "--workers", "2", "--partitions", "3", "--json",
            ])
        for (result, name, threads) in [(step, "step", 1), (train, "train", 1), (engine, "engine", 2)] {
            #expect(result.code == 0 && result.out.lines.count == 1)
            let object = try JSONSerialization.jsonObject(with: Data(result.out.utf8)) as? [String: Any]
            #expect(object?["bench"] as? String == name && object?["threads"] as? Int == threads)
            #expect(object?["layers"] as? Int == (name == "step" ? 2 : 1))
            // What has peers is the best of as many as they are.
            #expect(object?["repetitions"] as? Int == (name == "engine" ? 7 : 5))
            guard name == "step" else { continue }
            func number(_ name: String) throws -> Double { try #require(object?[name] as? Double) }
            #expect(try (0..<1).contains(number("share")))
            #expect(try abs(number("share") - number("gflops") / number("peak_gflops")) < 1e-6)
        }
    }

    @Test func anEngineThatNoMemoryHoldsIsRefused() async {
        let result = await sluice(
            list: [
                "bench", "engine", "--streams", "10000000", "--hidden", "4096", "--layers", "4", "--seconds", "0.01",
            ])
        #expect(result.code == 2 && result.out.isEmpty)
        #expect(result.error.contains("--streams 10000000 of this size takes about 1321.3 GB, and this machine has"))
    }

    @Test(arguments: ["step", "train"])
    func sizesOfNoShapeAreRefused(bench: String) async {
        let result = await sluice("bench", bench, "--hidden", "100", "--json")
        #expect(result.code == 2 && result.out.isEmpty)
        #expect(result.error.contains("None of the usual shapes has these sizes: give --inputs, --hidden"))
    }

    @Test func theCodecIsMeasuredInEachDirectionAndFormat() async throws {
        let result = await sluice("bench", "codec", "--features", "3", "--seconds", "0.01", "--json")
        #expect(result.code == 0 && result.error.isEmpty)
        let objects = try result.out.lines.map {
            try #require(JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any])
        }
        let works = objects.map { "\($0["direction"] ?? "") \($0["format"] ?? "")" }
        #expect(works == ["decode json", "decode json", "decode json", "decode csv", "encode json"])
        #expect(objects[1]["kind"] as? String == "JSON, members in four orders")
        #expect(objects[2]["kind"] as? String == "JSON, members in varying order")
        for object in objects {
            #expect(object["inputs"] as? Int == 3 && object["repetitions"] as? Int == 7)
            #expect(try #require(object["records_per_second"] as? Double) > 0)
            #expect(try #require(object["bytes_per_record"] as? Double) > 20)
        }
    }
}
