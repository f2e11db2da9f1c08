import Foundation
import SluiceAdmin
import SluiceConfiguration
import SluiceCore
import SluiceEngine
import SluiceLSTM
import SluiceLog
import SluiceSchema
import SluiceTraining
import Testing

@testable import SluiceKafka
@testable import SluiceService

/// Recorded commands as boundaries of what is trained on.
@Suite struct TopicCommandsTests {
    private static let settings = """
        model: {hidden: 3, horizons: [1], head: point}
        train: {epochs: 2, chunk: 8, rows: 4, threads: 1}
        """

    private static func inputs(_ minutes: Range<Int>, _ streams: [(Int32, String)]) -> [Input] {
        minutes.flatMap { minute in
            streams.map { Input($0.0, $0.1, minute: minute, x: Double((minute * 3 + Int($0.0)) % 7)) }
        }
    }

    private static func reset(_ id: String, _ target: Target, _ partition: Int32, before offset: Offset) -> Event {
        Event(
            id: id, type: .reset, target: target, partition: partition, offset: offset, by: "test", time: 0,
            control: offset)
    }

    /// The minutes of the observations that begin a sequence, by stream, and what the manifest says of commands.
    private func boundaries(
        _ rig: ServiceRig, _ span: TopicSpan = .window(from: .beginning, until: nil)
    ) async throws -> (minutes: [String: [Int]], commands: DataManifest.Commands) {
        try await onThread {
            let source = rig.source(span)
            let job = TrainingJob(rig.configuration, memory: DatasetMemory(folder: rig.folder))
            let reading = try DatasetReader(job: job, isCancelled: { false }).read(source, scaler: nil) { _ in }
            var minutes: [String: [Int]] = [:]
            for series in reading.series {
                minutes[series.name, default: []] += (0..<series.count).filter { series.boundary[$0] }
                    .map { Int(series.times[$0] / 60_000) }
            }
            return (minutes, try #require(source.commands(reading.ledger)))
        }
    }

    /// What training sees is what the service did.
    @Test func recordedResetIsABoundaryInTraining() async throws {
        let rig = try ServiceRig(Self.settings)
        let streams: [(Int32, String)] = [(0, "pump-0"), (0, "pump-2"), (1, "pump-1")]
        try rig.produce(Self.inputs(0..<6, streams))
        let found = try await rig.serving { runtime in
            _ = try await rig.predictions(18)
            let outcome = try await runtime.backend.reset(stream: "pump-2", by: "test")
            guard case .applied(let reset) = outcome else { throw SluiceError(.delivery, "\(outcome)") }
            #expect(reset.offset == 12)
            try rig.produce(Self.inputs(6..<10, streams))
            return try await rig.predictions(30)
        }
        var served: [String: [Int]] = [:]
        for output in found {
            let prediction = try output.prediction
            let offset = Int(prediction.source.offset)
            if prediction.step == 0 {
                served[prediction.stream, default: []].append(output.partition == 0 ? offset / 2 : offset)
            }
        }
        #expect(served == ["pump-0": [0], "pump-1": [0], "pump-2": [0, 6]])
        let (minutes, commands) = try await boundaries(rig)
        #expect(minutes == served)
        #expect(commands.topic == "pumps.events" && commands.exists && commands.applied == 1)
    }

    @Test func resetByPrefixIsABoundaryOfItsStreamsOnItsPartition() async throws {
        let rig = try ServiceRig(Self.settings)
        try rig.produce(Self.inputs(0..<8, [(0, "pump-0"), (0, "fan-0"), (0, "pump-2"), (1, "pump-1")]))
        try rig.record([Self.reset("a", .prefix("pump-"), 0, before: 13)])
        let (minutes, commands) = try await boundaries(rig)
        // Between fan-0 and the two pumps of that minute: pump-0 has had its own.
        #expect(minutes == ["pump-0": [0, 5], "pump-2": [0, 4], "fan-0": [0], "pump-1": [0]])
        #expect(commands.applied == 1)
    }

    /// A command to many has one id on all partitions, and an offset on each.
    @Test func resetOfAllIsABoundaryOfAllStreams() async throws {
        let rig = try ServiceRig(Self.settings)
        try rig.produce(Self.inputs(0..<8, [(0, "pump-0"), (0, "fan-0"), (1, "pump-1")]))
        try rig.record([Self.reset("a", .prefix(""), 0, before: 6), Self.reset("a", .prefix(""), 1, before: 5)])
        let (minutes, commands) = try await boundaries(rig)
        #expect(minutes == ["pump-0": [0, 3], "fan-0": [0, 3], "pump-1": [0, 5]])
        #expect(commands.applied == 2)
    }

    @Test func anImportIsABoundaryAndASwapOrARefusalIsNone() async throws {
        let rig = try ServiceRig(Self.settings)
        try rig.produce(Self.inputs(0..<8, [(0, "pump-0"), (1, "pump-1")]))
        var imported = Self.reset("a", .stream("pump-0"), 0, before: 3)
        (imported.type, imported.snapshot) = (.import, [1, 2, 3])
        var swap = Self.reset("b", .prefix(""), 0, before: 5)
        (swap.type, swap.target, swap.model) = (.swap, nil, "v2")
        var refused = Self.reset("c", .stream("pump-1"), 1, before: 4)
        refused.type = .refused
        try rig.record([imported, swap, refused])
        let (minutes, commands) = try await boundaries(rig)
        #expect(minutes == ["pump-0": [0, 3], "pump-1": [0]] && commands.applied == 1)
    }

    /// What took effect before the first record sets nothing back, what lies behind the last not yet, and a command
    /// that was written twice is one.
    @Test func commandsOutsideOfWhatIsReadAreNotOfIt() async throws {
        let rig = try ServiceRig(Self.settings)
        try rig.produce(Self.inputs(0..<8, [(0, "pump-0"), (1, "pump-1")]))
        let pump = Target.stream("pump-0")
        try rig.record([
            Self.reset("a", pump, 0, before: 1), Self.reset("b", pump, 0, before: 2),
            Self.reset("c", pump, 0, before: 4), Self.reset("c", pump, 0, before: 5),
            Self.reset("d", .stream("nobody"), 0, before: 6), Self.reset("e", pump, 0, before: 8),
        ])
        let (minutes, commands) = try await boundaries(rig, .window(from: .offset(2), until: nil))
        #expect(minutes == ["pump-0": [2, 4], "pump-1": [2]])
        #expect(
            commands.applied == 2
                && commands.partitions == [DataManifest.Commands.Records(partition: 0, from: 2, to: 5)])
    }

    /// As in the service, where every partition has slots of its own.
    @Test func aKeyOnTwoPartitionsIsTwoStreams() async throws {
        let rig = try ServiceRig(Self.settings)
        try rig.produce(Self.inputs(0..<4, [(0, "pump"), (1, "pump")]))
        #expect(try await boundaries(rig).minutes == ["pump": [0, 0]])
    }

    @Test func withoutAnEventsTopicNoResetIsOnRecord() async throws {
        let rig = try ServiceRig(Self.settings)
        try rig.produce(Self.inputs(0..<4, [(0, "pump-0")]))
        let source = rig.source(audit: TopicSource.Audit(topic: "none.events", partitions: nil))
        let ledger = try await onThread {
            var ledger = DataLedger()
            try source.forEach { ledger.read($0.records.last?.offset ?? 0, of: $0.origin) }
            return ledger
        }
        #expect(source.commands(ledger) == DataManifest.Commands(topic: "none.events", exists: false))
    }
}

/// Trainings that are done again on what a model says it was trained on.
@Suite struct RepeatedTrainingTests {
    private static let settings = """
        model: {hidden: 3, horizons: [1], head: point, scaling: global}
        train: {epochs: 2, chunk: 8, rows: 4, threads: 1, seed: 7}
        """

    private static func inputs(_ minutes: Range<Int>) -> [Input] {
        minutes.flatMap { minute in
            (0..<4).map {
                Input(Int32($0 % 2), "pump-\($0)", minute: minute, x: Double((minute * 3 + $0) % 12) / 6)
            }
        }
    }

    private static func reset(_ id: String, before offset: Offset) -> Event {
        Event(
            id: id, type: .reset, target: .prefix("pump-"), partition: 1, offset: offset, by: "test", time: 0,
            control: offset)
    }

    private func train(_ rig: ServiceRig, _ source: TopicSource) async throws -> Model {
        try await onThread {
            let job = TrainingJob(rig.configuration, memory: DatasetMemory(folder: rig.folder))
            return try job.run(source).result.model
        }
    }

    @Test func theManifestRepeatsTheTraining() async throws {
        let rig = try ServiceRig(Self.settings)
        try rig.produce(Self.inputs(0..<60))
        try rig.record([Self.reset("a", before: 33)])
        let first = try await train(rig, rig.source(.window(from: .offset(20), until: nil)))
        let known = try #require(first.data?.topic)
        #expect(known.partitions.map { [$0.from, $0.to] } == [[20, 120], [20, 120]] && known.commands?.applied == 1)
        // What comes later is not of it: neither inputs, nor a reset that is recorded late.
        try rig.produce(Self.inputs(60..<80))
        try rig.record([Self.reset("b", before: 70)])
        let audit = try TopicSource.Audit(topic: "pumps.events", partitions: 2).repeating(known.commands)
        let again = try await train(rig, rig.source(.records(known), audit: audit))
        #expect(again == first)
        let other = try await train(rig, rig.source(.window(from: .offset(20), until: nil)))
        #expect(other.data?.topic?.commands?.applied == 2)
        #expect(other.parameters != first.parameters && other.manifest.version != first.manifest.version)
    }

    @Test func resetsThatRetentionTookAreRefused() throws {
        let known = DataManifest.Commands(
            topic: "pumps.events", exists: true, applied: 1,
            partitions: [DataManifest.Commands.Records(partition: 0, from: 3, to: 4)])
        let gone = #expect(throws: SluiceError.self) {
            _ = try TopicSource.Audit(topic: "pumps.events", partitions: nil).repeating(known)
        }
        #expect(gone?.code == .lostInput && gone?.message.contains("pumps.events") == true)
        let cut = #expect(throws: SluiceError.self) {
            try TopicPartition(topic: "pumps.events", partition: 0)
                .checkHolds(3..<4, low: 5, high: 9, remedy: TopicCommands.remedy)
        }
        #expect(cut?.message == "pumps.events/0 begins at offset 5: retention has taken offsets 3 to 3")
        #expect(cut?.remedy == TopicCommands.remedy)
        // A training that found no such topic knows of no reset that was recorded since.
        let none = DataManifest.Commands(topic: "pumps.events", exists: false)
        #expect(try TopicSource.Audit(topic: "pumps.events", partitions: 2).repeating(none)?.partitions == nil)
        #expect(try TopicSource.Audit(topic: "pumps.events", partitions: 2).repeating(nil) == nil)
    }

    /// The whole command, as a process of its own.
    @Test func aModelSaysWhatItsTrainingReads() async throws {
        let rig = try ServiceRig(Self.settings)
        try rig.produce(Self.inputs(0..<60))
        try rig.record([Self.reset("a", before: 33)])
        let first = try await rig.train("a", "--from", "20")
        #expect(first.contains(#""commands":{"topic":"pumps.events","exists":true,"applied":1}"#))
        try rig.produce(Self.inputs(60..<80))
        try rig.record([Self.reset("b", before: 70)])
        _ = try await rig.train("b", "--data-of", rig.folder + "/a")
        func file(_ name: String) throws -> Data { try Data(contentsOf: URL(filePath: rig.folder + "/" + name)) }
        #expect(try file("a") == file("b"))
        let other = try await rig.train("c", "--set", "application=other")
        #expect(other.contains(#""commands":{"topic":"other.events","exists":false,"applied":0}"#))
        let foreign = try await rig.train("d", "--data-of", rig.folder + "/a", "--set", "input.topic=elsewhere")
        #expect(foreign.contains("that model was trained on the topic observations, and input.topic is elsewhere"))
        let given = try await rig.train("e", "--data-of", rig.modelFile)
        #expect(given.contains("does not say that it was trained on a topic"))
        let nothing = try await rig.train("f", "--until", "2001-01-01T00:00:00Z")
        #expect(nothing.contains("there are no observations to train on"))
    }
}

extension ServiceRig {
    func source(
        _ span: TopicSpan = .window(from: .beginning, until: nil),
        audit: TopicSource.Audit? = TopicSource.Audit(topic: "pumps.events", partitions: 2)
    ) -> TopicSource {
        TopicSource(topic: "observations", partitions: 2, span: span, audit: audit, cluster: "c") {
            try KafkaReader(self.kafka, health: Self.health, logger: Self.quiet)
        }
    }

    /// Puts events on the audit's first partition, in this order.
    func record(_ events: [Event]) throws {
        let producer = try KafkaProducer(
            kafka, topics: [.events: "pumps.events"], health: Self.health, logger: Self.quiet)
        defer { producer.close() }
        var batch = OutputBatch()
        for event in events {
            let value = event.encode(into: &batch.arena)
            batch.entries.append(OutputBatch.Entry(topic: .events, partition: 0, key: nil, value: value))
        }
        while try !producer.produce(&batch) { try producer.poll(timeoutMilliseconds: 10) }
        #expect(try producer.flush(timeoutMilliseconds: 60_000))
    }

    /// `sluice train --from-topic` with more arguments: all that it says.
    func train(_ output: String, _ arguments: String...) async throws -> String {
        let config = folder + "/sluice.yaml"
        try loaded.yaml.write(toFile: config, atomically: false, encoding: .utf8)
        let process = Process()
        process.executableURL = URL(filePath: TrainingLaunch.built.executable)
        process.arguments =
            ["train", "--from-topic", "--json", "-c", config, "--output", folder + "/" + output] + arguments
        let pipe = Pipe()
        (process.standardOutput, process.standardError) = (pipe, pipe)
        return try await onThread {
            try process.run()
            let said = pipe.fileHandleForReading.readDataToEndOfFile()
            process.waitUntilExit()
            return String(decoding: said, as: UTF8.self)
        }
    }
}
