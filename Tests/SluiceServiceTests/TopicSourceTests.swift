import SluiceCore
import SluiceEngine
import SluiceLSTM
import SluiceLog
import SluiceSchema
import Testing

@testable import SluiceKafka
@testable import SluiceService

/// A topic as what is trained on.
@Suite struct TopicSourceTests {
    /// A partition that a reader delivers, and when.
    private final class ScriptedReader: LogReader {
        var low: Offset
        var high: Offset
        /// Offsets that hold a mark of a transaction, which is never delivered.
        var marks: Set<Offset> = []
        /// Whether the poll of this number brings anything.
        var isSilent: (Int) -> Bool = { _ in false }
        /// Called before each look at the watermarks, with how many there were.
        var onWatermarks: (Int) throws -> Void = { _ in }
        var timestamp: (Offset) -> EpochMilliseconds = { $0 }
        private var position: Offset = 0
        private var polls = 0
        private var looks = 0

        init(_ offsets: Range<Offset>) { (low, high) = (offsets.lowerBound, offsets.upperBound) }

        func assign(_ positions: [TopicPartition: Offset]) throws { position = positions.values.first ?? 0 }

        func poll(timeoutMilliseconds: Int, limit: Int, _ body: (String, LogRecord) throws -> Void) throws {
            defer { polls += 1 }
            while marks.contains(position) { position += 1 }
            if position < low { throw SluiceError(.offsetOutOfRange, "gone", retry: .fatal) }
            guard !isSilent(polls), position < high else { return }
            let none = UnsafeRawBufferPointer(start: nil, count: 0)
            try body(
                "t",
                LogRecord(partition: 0, offset: position, timestamp: timestamp(position), key: none, value: none))
            position += 1
        }

        func watermarks(_ partition: TopicPartition, timeoutMilliseconds: Int) throws -> (low: Offset, high: Offset) {
            try onWatermarks(looks)
            looks += 1
            return (low, high)
        }

        func highWatermark(_: TopicPartition, timeoutMilliseconds _: Int) -> Offset { high }
        func position(_: TopicPartition) -> Offset? { position }
        func offset(_: TopicPartition, at time: EpochMilliseconds, timeoutMilliseconds: Int) throws -> Offset? { nil }
        func onArrival(_ body: @escaping @Sendable () -> Void) {}
        func close() {}
    }

    /// Offsets that a source hands over.
    private func read(
        _ span: TopicSpan = .window(from: .beginning, until: nil), _ make: @escaping @Sendable () -> ScriptedReader
    ) throws -> [Offset] {
        var offsets: [Offset] = []
        try TopicSource(topic: "t", partitions: 1, span: span, makeReader: make).forEach { batch in
            offsets += batch.records.map(\.offset)
        }
        return offsets
    }

    @Test func whatRetentionTakesWhileItIsReadIsLeftOut() throws {
        let offsets = try read {
            let reader = ScriptedReader(0..<10)
            reader.isSilent = { poll in
                if poll == 3 { reader.low = 7 }
                return false
            }
            return reader
        }
        #expect(offsets == [0, 1, 2, 3, 7, 8, 9])
    }

    @Test func silenceIsNoEnd() throws {
        let offsets = try read {
            let reader = ScriptedReader(3..<9)
            reader.isSilent = { (2..<180).contains($0) }
            return reader
        }
        #expect(offsets == Array(3..<9))
    }

    @Test func marksOfTransactionsAtTheEndAreNotWaitedFor() throws {
        let offsets = try read {
            let reader = ScriptedReader(0..<9)
            reader.marks = [4, 7, 8]
            return reader
        }
        #expect(offsets == [0, 1, 2, 3, 5, 6])
    }

    /// Marks at the end may come without a record: what was trained on is the same then, and so is what tells of it.
    @Test func theOffsetsToldOfAreThoseOfRecords() throws {
        let source = TopicSource(topic: "t", partitions: 1, window: 60_000, cluster: "c") {
            let reader = ScriptedReader(2..<9)
            reader.marks = [4, 7, 8]
            return reader
        }
        var ledger = DataLedger()
        try source.forEach { batch in
            for record in batch.records {
                ledger.read(record.offset, of: batch.origin)
                if record.offset == 6 {
                    ledger.reject(of: batch.origin)
                } else {
                    ledger.observe(record.offset, of: batch.origin)
                }
            }
        }
        let told = try source.describe(ledger)
        let partition = DataManifest.Partition(
            partition: 0, from: 2, to: 7, observations: 3, rejects: 1, first: "1970-01-01T00:00:00.002Z",
            last: "1970-01-01T00:00:00.005Z")
        #expect(told.files.isEmpty)
        #expect(told.topic == DataManifest.Topic(name: "t", cluster: "c", window: 60_000, partitions: [partition]))
    }

    @Test func aBrokerThatDoesNotAnswerIsAnErrorAndNoEnd() throws {
        let error = #expect(throws: SluiceError.self) {
            try read {
                let reader = ScriptedReader(0..<9)
                reader.isSilent = { $0 > 4 }
                reader.onWatermarks = { if $0 > 0 { throw SluiceError(.broker, "away", retry: .later) } }
                return reader
            }
        }
        #expect(error?.message == "away")
    }

    @Test func earlierRecordsArePassedOverWhereTimesCannotBeLookedUp() throws {
        #expect(try read(.window(from: .time(6), until: nil)) { ScriptedReader(0..<9) } == [6, 7, 8])
    }

    /// A span is one range of offsets, so that what was read can be told, and read again.
    @Test func aSpanBeginsAtTheFirstRecordOfItsTimeAndEndsBeforeTheFirstOfItsEnd() throws {
        @Sendable func times() -> ScriptedReader {
            let reader = ScriptedReader(0..<9)
            reader.timestamp = { [1, 5, 3, 6, 2, 8, 4, 9, 7][Int($0)] }
            return reader
        }
        #expect(try read(.window(from: .time(5), until: 8), times) == [1, 2, 3, 4])
        #expect(try read(.window(from: .beginning, until: 6), times) == [0, 1, 2])
        #expect(try read(.window(from: .offset(4), until: 9), times) == [4, 5, 6])
        #expect(try read(.window(from: .offset(12), until: nil), times).isEmpty)
    }

    @Test func offsetsThatRetentionTookAreRefusedWithWhatIsLeft() throws {
        let gone = #expect(throws: SluiceError.self) {
            try read(.window(from: .offset(2), until: nil)) { ScriptedReader(5..<9) }
        }
        #expect(gone?.message == "t/0 begins at offset 5: retention has taken offsets 2 to 4")
        #expect(gone?.code == .lostInput && gone?.remedy?.contains("--from 5 or a time") == true)
        let meanwhile = #expect(throws: SluiceError.self) {
            try read(.window(from: .offset(2), until: nil)) {
                let reader = ScriptedReader(2..<9)
                reader.isSilent = { poll in
                    if poll == 2 { reader.low = 7 }
                    return false
                }
                return reader
            }
        }
        #expect(meanwhile?.message == "t/0 begins at offset 7: retention has taken offsets 5 to 6")
    }

    @Test func theRecordsOfAnEarlierTrainingMustAllBeThere() throws {
        let span = TopicSpan.records(
            DataManifest.Topic(
                name: "t",
                partitions: [
                    DataManifest.Partition(
                        partition: 0, from: 3, to: 6, observations: 3, rejects: 0, first: nil, last: nil)
                ]))
        #expect(try read(span) { ScriptedReader(0..<9) } == [3, 4, 5])
        #expect(try read(span) { ScriptedReader(3..<6) } == [3, 4, 5])
        func refusal(_ offsets: Range<Offset>) -> String? {
            #expect(throws: SluiceError.self) { try read(span) { ScriptedReader(offsets) } }?.message
        }
        #expect(refusal(4..<9) == "t/0 begins at offset 4: retention has taken offsets 3 to 3")
        #expect(refusal(8..<9) == "t/0 begins at offset 8: retention has taken offsets 3 to 5")
        #expect(
            refusal(0..<5) == "t/0 ends at offset 5, and a training read it up to 5: it is not the topic that it was")
    }

    @Test func whatComesWhileItIsReadIsNotOfIt() async throws {
        let rig = try ServiceRig(partitions: 2)
        @Sendable func inputs(_ minutes: Range<Int>) -> [Input] {
            minutes.flatMap { minute in (0..<2).map { Input($0, "pump-\($0)", minute: minute, x: 1) } }
        }
        try rig.produce(inputs(0..<50))
        let found = try await onThread {
            let source = TopicSource(topic: "observations", partitions: 2) {
                try KafkaReader(rig.kafka, health: ServiceRig.health, logger: ServiceRig.quiet)
            }
            var found: [String] = []
            // Twice: a source can be read again, and then holds what came meanwhile.
            for _ in 0..<2 {
                var isFirst = true
                try source.forEach { batch in
                    if isFirst { try rig.produce(inputs(50..<60)) }
                    isFirst = false
                    found += batch.records.map { String(decoding: $0.key, as: UTF8.self) + "@\($0.offset)" }
                }
            }
            return found
        }
        func expected(_ count: Offset) -> [String] {
            (0..<2).flatMap { partition in (0..<count).map { "pump-\(partition)@\($0)" } }
        }
        #expect(found == expected(50) + expected(60))
    }
}
