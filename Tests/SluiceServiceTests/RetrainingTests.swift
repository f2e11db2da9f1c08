import Foundation
import SluiceAdmin
import SluiceCore
import SluiceEngine
import SluiceLSTM
import SluiceModelFile
import SluiceModels
import SluiceSchema
import Testing

@testable import SluiceService

/// Training while serving: with the `sluice` that was built beside the tests, as a process of its own.
@Suite(.serialized) struct RetrainingTests {
    /// Settings with which a training takes a moment; `more` are entries of `retrain`.
    private static func settings(_ more: String, train: String = "epochs: 2") -> String {
        """
        model: {hidden: 4, horizons: [1], head: point, scaling: none}
        train: {chunk: 8, rows: 4, threads: 1, \(train)}
        retrain: {window: 36500d, minimum: 120, \(more)}
        """
    }

    private static func observations(_ minutes: Range<Int>) -> [Input] {
        minutes.flatMap { minute in
            (0..<4).map { stream in
                Input(
                    Int32(stream % 2), "pump-\(stream)", minute: minute,
                    x: Double((minute * 3 + stream) % 12) / 6 - 1)
            }
        }
    }

    private struct Unexpected: Error {}

    private static func model(_ output: Output) -> String? {
        struct Named: Decodable { var model: String }
        return try? JSONDecoder().decode(Named.self, from: Data((output.value ?? "").utf8)).model
    }

    /// The counter of trainings that ended so.
    private static func retrains(_ runtime: ServeRuntime, _ outcome: String) async throws -> Int {
        let text = try await fetch("metrics", runtime)
        let line = text.split(separator: "\n").first { $0.hasPrefix("sluice_retrains_total{outcome=\"\(outcome)\"}") }
        return line.flatMap { $0.split(separator: " ").last }.flatMap { Int(Double($0) ?? 0) } ?? 0
    }

    private static func fetch(_ path: String, _ runtime: ServeRuntime) async throws -> String {
        let url = try #require(URL(string: "http://127.0.0.1:\(try await runtime.listeningPort)/\(path)"))
        return try await onThread { try String(contentsOf: url, encoding: .utf8) }
    }

    @Test func withoutAModelItWaitsTrainsAndBegins() async throws {
        let rig = try ServiceRig(Self.settings("every: never"))
        try rig.produce(Self.observations(0..<20))
        try await rig.serving(hasModel: false) { runtime in
            try await eventually("it says what it waits for") {
                await runtime.backend.readiness().reasons.contains { $0.contains("80 of 120") }
            }
            try rig.produce(Self.observations(20..<50))
            let found = try await rig.predictions(200)
            let version = try #require(try await runtime.backend.models().models.first).version
            #expect(found.allSatisfy { Self.model($0) == version }, "all, by the first model")
        }
        // Started again, the registry knows.
        try rig.produce(Self.observations(50..<55))
        try await rig.serving(hasModel: false) { _ in _ = try await rig.predictions(220) }
    }

    @Test func aRetrainedModelTakesOverAtOneOffsetOfEachPartition() async throws {
        let rig = try ServiceRig(Self.settings("every: never, promote: always"))
        let inputs = Self.observations(0..<120)
        var fed = 200
        try rig.produce(Array(inputs[..<200]))
        let versions = try await rig.serving { runtime in
            _ = try await rig.predictions(200)
            let retraining = try #require(runtime.backend.retraining)
            async let outcome = onThread { retraining.train(isFirst: false) }
            try await eventually("both partitions fold by a trained model") {
                // Another offset each time, so that the swap stands between observations.
                if fed < 400 {
                    try rig.produce(Array(inputs[fed..<fed + 4]))
                    fed += 4
                }
                let views = await runtime.backend.views().map(\.view)
                return views.count == 2 && views.allSatisfy { $0.model != nil && $0.model != "v1" }
            }
            guard case .promoted = try await outcome else { throw Unexpected() }
            try rig.produce(Array(inputs[fed...]))
            let found = try await rig.predictions(inputs.count)
            return Set(found.compactMap(Self.model))
        }
        #expect(versions.count >= 2 && versions.contains("v1"))
        let events = try await rig.events()
        #expect(Set(events.filter { $0.type == .swap }.map(\.partition)) == [0, 1])
        #expect(events.allSatisfy { $0.by == "retrain" && $0.previous != nil })
        // What was predicted is what score makes of the log and the recorded swaps, bit for bit.
        let lines = try rig.scored(inputs, events: events)
        let found = Dictionary(grouping: try await rig.readAll("predictions"), by: \.partition)
        for partition: Int32 in [0, 1] { #expect(found[partition]?.compactMap(\.value) == lines[partition]) }
    }

    /// Variables are under the flags of `serve`: the training must not read them again over what is in force.
    @Test func aTrainingHasTheConfigurationOfTheServiceWhateverTheEnvironmentSays() async throws {
        let rig = try ServiceRig(Self.settings("every: never, promote: manual"))
        try rig.produce(Self.observations(0..<60))
        var launch = TrainingLaunch.built
        launch.environment["SLUICE_MODEL__HIDDEN"] = "7"
        launch.environment["SLUICE_NO__SETTING"] = "1"
        try await rig.serving(launch: launch) { runtime in
            try await eventually("it serves") { runtime.backend.retraining != nil }
            let retraining = try #require(runtime.backend.retraining)
            let outcome = try await onThread { retraining.train(isFirst: false) }
            guard case .kept(let version, _) = outcome else { throw Unexpected() }
            let registry = try #require(runtime.backend.models).registry
            #expect(try registry.model(version: version).parameters.shape.hidden == 4)
            let report = try #require(registry.report(of: version))
            #expect(try String(contentsOfFile: report, encoding: .utf8).contains("Training of "))
            let shown = try await runtime.backend.models().models.first { $0.version == version }
            #expect(shown?.report == report)
        }
    }

    @Test func theNextTrainingIsDueAnIntervalAfterTheLastAttemptThroughARestart() async throws {
        let rig = try ServiceRig(Self.settings("every: 1h"))
        let launch = TrainingLaunch(executable: "/bin/false")
        let candidates = rig.folder + "/state/models/candidates"
        let attempted = try await rig.serving(launch: launch) { runtime in
            try await eventually("it serves") { runtime.backend.retraining != nil }
            let retraining = try #require(runtime.backend.retraining)
            let registry = try #require(runtime.backend.models).registry
            #expect(retraining.due == registry.active.map { $0.since + 3_600_000 }, "after the activation")
            guard case .failed = try await onThread({ retraining.train(isFirst: false) }) else { throw Unexpected() }
            let attempted = try #require(registry.attempted)
            #expect(retraining.due == attempted + 3_600_000)
            return attempted
        }
        // What a training that was killed together with its service leaves.
        try FileManager.default.createDirectory(atPath: candidates, withIntermediateDirectories: true)
        try Data("secret".utf8).write(to: URL(filePath: candidates + "/sluice.yaml"))
        try await rig.serving(launch: launch) { runtime in
            try await eventually("it serves") { runtime.backend.retraining != nil }
            #expect(runtime.backend.retraining?.due == attempted + 3_600_000)
            #expect(!FileManager.default.fileExists(atPath: candidates))
        }
    }

    /// A unit file names the same model at each start; what was promoted since stays.
    @Test func aModelThatIsGivenAgainDoesNotUndoWhatTookOverSince() async throws {
        let rig = try ServiceRig(Self.settings("every: never"))
        var second = rig.model
        second.manifest.version = "v2"
        let file = rig.folder + "/second.safetensors"
        _ = try ModelFile.write(second, to: file)
        /// What predicts when the service has begun with the first model's file, and has done so much more.
        func active(_ body: (ServiceModels) throws -> String? = { _ in nil }) async throws -> [String?] {
            try await rig.serving { runtime in
                try await eventually("it serves") { runtime.backend.models != nil }
                let models = try #require(runtime.backend.models)
                return [try body(models), models.registry.active?.version]
            }
        }
        #expect(try await active() == [nil, "v1"], "new, it predicts")
        #expect(try await active { try $0.begin(with: file) } == [nil, "v2"], "another new one")
        #expect(try await active { try $0.begin(with: rig.modelFile) } == ["v1", "v2"], "not new, it is named")
        #expect(try await active { try $0.activate("v1", by: "anna").version } == ["v1", "v1"], "and back by hand")
    }

    @Test(arguments: [SIGKILL, SIGSTOP])
    func aTrainingThatDiesOrHangsLeavesServingAsItWas(signal: Int32) async throws {
        let rig = try ServiceRig(
            Self.settings("every: 1s, promote: always", train: "epochs: 1000000, patience: 0"))
        try rig.produce(Self.observations(0..<60))
        var launch = TrainingLaunch.built
        launch.silenceSeconds = 5
        try await rig.serving(launch: launch) { runtime in
            try await eventually("it serves") { runtime.backend.retraining != nil }
            let retraining = try #require(runtime.backend.retraining)
            try await eventually("it is in the middle of an epoch") { retraining.status?.contains("epoch") == true }
            kill(retraining.childID, signal)
            try rig.produce(Self.observations(60..<70))
            _ = try await rig.predictions(280)
            try await eventually("it counts as failed") { try await Self.retrains(runtime, "failed") >= 1 }
            try rig.produce(Self.observations(70..<80))
            let found = try await rig.predictions(320)
            #expect(found.allSatisfy { Self.model($0) == "v1" })
            #expect(await runtime.backend.readiness().holds)
        }
        #expect(try await rig.events().isEmpty)
    }

    @Test func aTrainingThatDivergesLeavesServingAsItWas() async throws {
        let rig = try ServiceRig(
            Self.settings("every: 1s, promote: always", train: "epochs: 2, learning_rate: 1.0e+30, clip: 0"))
        try await Self.checkRefused(rig, .built)
    }

    /// A training that says that all went well, and leaves a model of NaNs.
    @Test func aModelOfNoNumbersIsRefused() async throws {
        let rig = try ServiceRig(Self.settings("every: 1s, promote: always"))
        var broken = try ModelFile.encode(rig.model)
        for index in broken.indices.suffix(4) { broken[index] = 0xFF }
        let (file, script) = (rig.folder + "/broken.safetensors", rig.folder + "/train")
        try Data(broken).write(to: URL(filePath: file))
        let text = """
            #!/bin/sh
            while [ $# -gt 0 ]; do [ "$1" = --output ] && output=$2; shift; done
            cp '\(file)' "$output"
            echo '{"done":true,"version":"v2","stop":"completed","carried":{"loss":0.1,"count":9}}'
            """
        try Data(text.utf8).write(to: URL(filePath: script))
        chmod(script, 0o755)
        try await Self.checkRefused(rig, TrainingLaunch(executable: script))
    }

    private static func checkRefused(_ rig: ServiceRig, _ launch: TrainingLaunch) async throws {
        try rig.produce(observations(0..<60))
        try await rig.serving(launch: launch) { runtime in
            try await eventually("it counts as failed") { try await retrains(runtime, "failed") >= 1 }
            try rig.produce(observations(60..<70))
            let found = try await rig.predictions(280)
            #expect(found.allSatisfy { model($0) == "v1" })
            #expect(try await runtime.backend.models().models.map(\.version) == ["v1"])
        }
        #expect(try await rig.events().isEmpty)
    }

    @Test func aModelIsPromotedAndRolledBackByHand() async throws {
        let rig = try ServiceRig(Self.settings("every: never"))
        try rig.produce(Self.observations(0..<30))
        var second = rig.model
        second.manifest.version = "v2"
        second.parameters.values[0] += 0.5
        let file = rig.folder + "/second.safetensors"
        _ = try ModelFile.write(second, to: file)
        try await rig.serving { runtime in
            _ = try await rig.predictions(120)
            try await eventually("it is ready") { await runtime.backend.readiness().holds }
            let registry = try #require(runtime.backend.models).registry
            try registry.register(file)
            #expect(
                try await runtime.backend.promote("v2", by: "anna")
                    == Promotion(version: "v2", previous: "v1", settled: true))
            try rig.produce(Self.observations(30..<40))
            #expect(try await rig.predictions(160).suffix(1).allSatisfy { Self.model($0) == "v2" })
            #expect(
                try await runtime.backend.rollBack(by: "anna")
                    == Promotion(version: "v1", previous: "v2", settled: true))
            await #expect(throws: SluiceError.self) { try await runtime.backend.rollBack(by: "anna") }
            await #expect(throws: SluiceError.self) { try await runtime.backend.promote("v9", by: "anna") }
        }
        let events = try await rig.events()
        #expect(events.count == 4 && events.allSatisfy { $0.by == "anna" })
        #expect(Set(events.compactMap(\.model)) == ["v1", "v2"])
    }
}

extension ServiceRig {
    /// All records of the audit.
    fileprivate func events() async throws -> [Event] {
        let decoder = try MessageDecoder()
        var events: [Event] = []
        for output in try await readAll(configuration.topics(isEmbedded: true).events) {
            try Array((output.value ?? "").utf8).withUnsafeBytes { events.append(try decoder.event($0)) }
        }
        return events
    }
}
