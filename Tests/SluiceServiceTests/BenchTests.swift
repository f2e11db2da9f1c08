import SluiceCore
import SluiceEngine
import SluiceKafka
import SluiceLSTM
import SluiceLog
import SluiceSchema
import Synchronization
import Testing

@testable import SluiceService

@Suite struct BenchTests {
    private final class Counter: Sendable {
        let count = Atomic<Int>(0)
    }

    /// What is spoiled and not written again is found.
    @Test(arguments: [(1, 4, 1, 1), (8, 20, 2, 5)])
    func aStepThatDoesNotWriteIsFound(sizes: (Int, Int, Int, Int)) {
        let rows = StepRows(
            StepBench.Shape(inputs: sizes.0, hidden: sizes.1, layers: sizes.2, batch: sizes.3))
        #expect(!rows.isSound)
        rows.step()
        #expect(rows.isSound)
        rows.spoil()
        #expect(!rows.isSound)
        rows.step()
        #expect(rows.isSound)
    }

    /// What takes seconds for a call is left off between two of them.
    @Test func aStepAndAnUpdateAreLeftOffBetweenCalls() {
        let (asked, clock) = (Counter(), SystemClock())
        func isEnough() -> Bool { asked.count.add(1, ordering: .relaxed).newValue % 2 == 0 }
        #expect(throws: CancellationError.self) {
            _ = try StepBench.run(
                StepBench.Shape(inputs: 64, hidden: 512, batch: 512), clock: clock, isCancelled: isEnough)
        }
        #expect(asked.count.load(ordering: .relaxed) == 2)
        #expect(throws: CancellationError.self) {
            _ = try TrainBench.run(
                TrainBench.Shape(inputs: 1, hidden: 8, layers: 1, batch: 2, steps: 3), threads: 1, clock: clock,
                isCancelled: isEnough)
        }
        #expect(asked.count.load(ordering: .relaxed) == 4)
    }

    @Test func operationsOfAllLayersAreCounted() {
        let one = StepBench.Shape(inputs: 8, hidden: 64, batch: 2)
        #expect(one.operations == 2 * 2 * 4 * 64 * (8 + 64))
        let two = StepBench.Shape(inputs: 8, hidden: 64, layers: 2, batch: 2)
        #expect(two.operations == one.operations + 2 * 2 * 4 * 64 * (64 + 64))
    }

    /// Every stream comes once in a round, in its partition, later than before, and not in the order of its slot.
    @Test func eachRoundOfRecordsIsLaterThanTheOneBefore() throws {
        let records = try SyntheticRecords(features: 2, streams: 7..<17, partitions: 2, batch: 5)
        var last: [String: (time: EpochMilliseconds, partition: Int32)] = [:]
        var orders: Set<[String]> = []
        for _ in 0..<3 {
            for round in stride(from: 0, to: records.count, by: 10) {
                let order = (round..<round + 10).map { index in
                    let record = records.record(index, at: 0)
                    let (key, text) = (
                        String(decoding: record.key, as: UTF8.self), String(decoding: record.value, as: UTF8.self)
                    )
                    #expect(text.hasPrefix("{\"time\":\"\(Timestamp.text(records.time(index)))\",\"values\":{\"f0\":"))
                    #expect(records.time(index) > last[key]?.time ?? .min)
                    #expect(record.partition == last[key]?.partition ?? record.partition)
                    last[key] = (records.time(index), record.partition)
                    return key
                }
                #expect(Set(order) == Set((7..<17).map { "stream-\($0)" }))
                orders.insert(order)
                for batch in [round..<round + 5, round + 5..<round + 10] {
                    let partitions = batch.map { records.record($0, at: 0).partition }
                    #expect(partitions == partitions.sorted(), "a partition's come together")
                }
            }
            records.advance()
        }
        #expect(orders.count == 3)
    }

    @Test func documentsOfVaryingOrderAreNeverLikeTheLast() {
        let records = CodecRecords(features: 1, count: 20)
        let names = records.varyingJSON.map { range in
            String(decoding: records.bytes(range), as: UTF8.self).prefix(8)
        }
        #expect(zip(names, names.dropFirst()).allSatisfy { $0 != $1 })
        let mixed = CodecRecords(features: 8, count: 20)
        let orders = mixed.mixedJSON.map { range in
            String(decoding: mixed.bytes(range), as: UTF8.self).split(separator: "\"").filter { $0.hasPrefix("f") }
        }
        #expect(Set(orders).count == 4 && orders[0] == orders[4])
        let same = records.json.map { String(decoding: records.bytes($0), as: UTF8.self).prefix(8) }
        #expect(Set(same).count == 1)
    }

    @Test func whatIsNoPredictionIsNotReadAsOne() throws {
        let reader = try PredictionReader()
        for text in ["", "\u{FF}", "{}", #"{"stream":"a","time":"2026-01-01T00:00:00Z","forecast":[{"value":1.5}]}"#] {
            #expect(Array(text.utf8).withUnsafeBytes { reader.read($0) == nil })
        }
    }

    @Test func aStateThatIsNotTheReferencesIsFound() throws {
        let model = BenchModel.drawn(features: 2, hidden: 4, layers: 1)
        let input = InputSpecification(features: BenchModel.names(2).map { InputSpecification.Feature($0) })
        let reference = try EngineReference(model.parameters, input)
        let records = try SyntheticRecords(features: 2, streams: 0..<3, partitions: 1, batch: 8)
        for index in 0..<6 { reference.fold(records.record(index, at: Int64(index))) }
        #expect(!reference.agrees { _ in nil })
        let fresh = [Float](repeating: 0, count: model.parameters.shape.stateFloats)
        #expect(!fresh.withUnsafeBufferPointer { fresh in reference.agrees { _ in fresh.baseAddress } })
        // The engine's are the reference's: it is measured.
        let settings = EngineBench.Settings(streams: 3, features: 2, hidden: 20, layers: 2, workers: 1, seconds: 1e-6)
        #expect(try EngineBench.run(settings, clock: SystemClock()).repetitions == 7)
    }

    @Test func anotherOutputThanInTheFirstRunIsFound() {
        func digests(_ count: Int, other: Int? = nil) -> OutputDigests {
            var digests = OutputDigests()
            for index in 0..<count {
                let value = Array((index == other ? "other" : "value \(index)").utf8)
                value.withUnsafeBytes {
                    digests.add(
                        LogRecord(
                            partition: Int32(index % 2), offset: 0, timestamp: 0,
                            key: UnsafeRawBufferPointer(rebasing: $0[..<1]), value: $0))
                }
            }
            return digests
        }
        #expect(digests(1_000).difference(from: digests(1_100)) == nil, "as far as both have come")
        let place = digests(1_000).difference(from: digests(1_000, other: 301))
        #expect(place?.partition == 1 && place?.outputs == 200)
        #expect(digests(1_000).difference(from: digests(1_000, other: 998))?.partition == 0)
    }

    @Test func cancelledWorkersLeaveOffTogether() throws {
        let settings = EngineBench.Settings(streams: 8, features: 2, hidden: 4, batch: 4, workers: 3, seconds: 1e-6)
        let measured = Counter()
        let result = try EngineBench.run(settings, clock: SystemClock()) {
            if $0.recordsPerSecond != nil { measured.count.add(1, ordering: .relaxed) }
        } isCancelled: {
            measured.count.load(ordering: .relaxed) > 2
        }
        // The first of them is through with its third, others perhaps in the middle of theirs.
        #expect((2...3).contains(result.repetitions))
    }

    /// Records of many streams take long to make: who has had enough does not wait for them.
    @Test(arguments: [0, 1, 5, 20, 10_000]) func cancelledBeforeItsFirstRepetitionItEnds(after looks: Int) {
        let settings = EngineBench.Settings(streams: 60, features: 2, hidden: 4, batch: 4, workers: 2, seconds: 1e-6)
        let asked = Counter()
        #expect(throws: CancellationError.self) {
            _ = try EngineBench.run(settings, clock: SystemClock()) {
                #expect($0.recordsPerSecond == nil)
            } isCancelled: {
                asked.count.add(1, ordering: .relaxed).newValue > looks
            }
        }
    }

    @Test func theMedianIsOfTheWarmRunsAndBetweenTwoInTheMiddle() {
        let settings = PipelineBench.Settings(
            bootstrap: "", topic: "", count: 1, delivery: "exactly-once", features: 1, hidden: 1, layers: 1, workers: 1,
            repetitions: 1)
        func median(_ rates: [Double]) -> Double {
            var result = PipelineBench.Result(settings: settings)
            result.rates = rates
            return result.median
        }
        #expect(median([7]) == 7)
        #expect(median([1, 7]) == 7)
        #expect(median([1, 9, 7]) == 8)
        #expect(median([9, 7, 5, 1]) == 5)
    }

    /// It neither waits for what will not come, nor says that nothing came.
    @Test(arguments: [false, true]) func aServiceThatEndsTooEarlySaysWhy(isLoad: Bool) async throws {
        let rig = try ServiceRig(partitions: 4)
        try rig.produce([Input(0, "stream-0", #"{"time":1,"values":{"f0":1}}"#)])
        let settings = PipelineBench.Settings(
            bootstrap: rig.broker.bootstrap, topic: "observations", count: 1, delivery: "exactly-once", features: 1,
            hidden: 4, layers: 1, workers: 1, repetitions: 1, set: [("admin.listen", rig.broker.bootstrap)])
        let error = await #expect(throws: SluiceError.self) {
            if isLoad {
                _ = try await LoadBench.capacity(settings, seconds: 0.1, logger: ServiceRig.quiet)
            } else {
                _ = try await PipelineBench.run(settings, logger: ServiceRig.quiet) { _, _ in }
            }
        }
        #expect(error.map { "\($0)" }?.contains("in use") == true, "\(String(describing: error))")
    }

    @Test func thePipelineIsTimedAndItsOutputsAreRead() async throws {
        let rig = try ServiceRig(partitions: 4)
        try rig.produce(
            (0..<200).map {
                Input(Int32($0 % 2), "stream-\($0 % 2)", "{\"time\":\(1_000 * $0),\"values\":{\"f0\":\($0 % 7)}}")
            })
        let settings = PipelineBench.Settings(
            bootstrap: rig.broker.bootstrap, topic: "observations", count: 200, delivery: "exactly-once", features: 1,
            hidden: 4, layers: 1, workers: 1, repetitions: 2)
        let result = try await PipelineBench.run(settings, logger: ServiceRig.quiet) { _, _ in }
        #expect(result.records == 200 && result.streams == 2 && result.rates.count == 2)
        #expect(result.median == result.rates.last)
        #expect(try await rig.readAll("observations-out").count == 400)
    }
}
