import Foundation
import SluiceConfiguration
import SluiceCore
import SluiceTraining
import Testing

@testable import SluiceService

/// Data that is larger than memory.
@Suite struct DatasetMemoryTests {
    private func withFolder(_ body: (String) throws -> Void) throws {
        let folder = NSTemporaryDirectory() + "sluice-memory-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try body(folder)
    }

    private static func train(
        _ folder: String, _ more: String, memory: Int, scratch: String? = nil
    ) throws -> TrainingJob.Outcome {
        // Streams of different length, whose rows come in turns.
        var lines = ""
        for row in 0..<1_200 {
            let stream = row % 7 == 0 ? row % 35 : row % 3
            let value = row % 50 == 0 ? "" : "\"x\":\(sin(Double(row) * 0.1) * Double(stream + 1))"
            lines += "{\"stream\":\"s\(stream)\",\"time\":\(row * 1_000),\"values\":{\(value)}}\n"
        }
        let data = folder + "/data.ndjson"
        try lines.write(toFile: data, atomically: false, encoding: .utf8)
        let configuration = try ServiceRig.configuration("127.0.0.1:1", folder, more).configuration
        let job = TrainingJob(configuration, memory: DatasetMemory(folder: scratch ?? folder, bytes: memory))
        return try job.run(FileSource([data]))
    }

    @Test(arguments: [
        "model: {hidden: 3, targets: [x], horizons: [1, 3], head: gaussian, scaling: global}",
        "model: {hidden: 3, targets: [x], horizons: [2], head: quantile, scaling: per-stream}",
    ])
    func rowsInAFileTrainToTheSameBits(model: String) throws {
        try withFolder { folder in
            let more = """
                \(model)
                train: {epochs: 3, chunk: 8, rows: 4, threads: 1, test: 0.1}
                """
            let inMemory = try Self.train(folder, more, memory: .max / 4)
            // From the first batch of records on, all is in the file.
            let inFile = try Self.train(folder, more, memory: 0)
            #expect(inMemory.result.epochs.count == 3 && inMemory.observations == inFile.observations)
            #expect(inMemory.result.model == inFile.result.model)
            #expect(inMemory.result.epochs == inFile.result.epochs && inMemory.result.errors == inFile.result.errors)
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["data.ndjson"])
        }
    }

    @Test func theBoundIsThatOfTheProcessesOwnGroup() {
        let list = "12:cpu,cpuacct:/a\n4:memory:/a/b\n3:hugetlb,memory:/\n0::/system.slice/sluice.service\nbroken\n"
        #expect(
            ProcessMemory.groups(of: list) == [
                "/sys/fs/cgroup/memory/a/b/memory.limit_in_bytes", "/sys/fs/cgroup/memory/memory.limit_in_bytes",
                "/sys/fs/cgroup/system.slice/sluice.service/memory.max",
            ])
    }

    @Test func whereTheFileCannotBeIsSaid() throws {
        try withFolder { folder in
            let error = #expect(throws: SluiceError.self) {
                try Self.train(folder, "", memory: 0, scratch: folder + "/none")
            }
            #expect(error?.code == .file && error?.message.contains("\(folder)/none") == true)
        }
    }

    /// Many blocks of many streams: each value is where it belongs.
    @Test func everyRowComesBackWhereItBelongs() throws {
        try withFolder { folder in
            let layout = RowLayout(inputs: 3, raw: 3, targets: 2, labels: 1)
            var expected = (0..<5).map { TrainingSeries(name: "s\($0)") }
            var spooled = expected
            var spool = try SeriesSpool(layout, in: folder)
            var value = 0
            for block in 0..<20 {
                for stream in 0..<5 where (block * stream) % 3 != 1 {
                    for _ in 0..<(block + stream) % 4 {
                        value += 1
                        Self.append(value, to: &expected[stream])
                        Self.append(value, to: &spooled[stream])
                    }
                }
                if block < 19 { try spool.take(&spooled) }
            }
            #expect(spooled.map(\.count).reduce(0, +) < 20)
            try spool.finish(&spooled)
            for (one, other) in zip(expected, spooled) {
                #expect(one.name == other.name && one.times == other.times && one.inputs == other.inputs)
                #expect(one.raw == other.raw && one.targets == other.targets && one.labels == other.labels)
                #expect(one.center == other.center && one.scale == other.scale)
                #expect(one.boundary == other.boundary && one.warm == other.warm)
            }
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder).isEmpty)
        }
    }

    private static func append(_ value: Int, to series: inout TrainingSeries) {
        series.times.append(Int64(value))
        for part in 0..<3 {
            series.inputs.append(Float(value * 10 + part))
            series.raw.append(Float(value * 100 + part))
        }
        for part in 0..<2 {
            series.targets.append(Float(value * 7 + part))
            series.center.append(Double(value) + Double(part) / 3)
            series.scale.append(Double(value) * 2 + Double(part) / 7)
        }
        series.labels.append(Float(value % 2))
        series.boundary.append(value % 5 == 0)
        series.warm.append(value % 3 == 0)
    }
}
