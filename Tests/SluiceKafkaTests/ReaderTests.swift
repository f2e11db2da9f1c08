import Foundation
import SluiceCore
import SluiceLog
import Synchronization
import Testing

@testable import SluiceKafka

@Suite struct ReaderTests {
    @Test func readsTheNamedPartitionsFromTheNamedOffsets() throws {
        try Fixture.produce(["a", "b", "c"], to: "read", partition: 1)
        try Fixture.produce(["x"], to: "read", partition: 3)
        let reader = try Fixture.reader()
        let one = TopicPartition(topic: "read", partition: 1)
        let three = TopicPartition(topic: "read", partition: 3)
        var got: [String] = []
        func poll(until count: Int) throws {
            let end = ContinuousClock.now + .seconds(20)
            while got.count < count, .now < end {
                try reader.poll(timeoutMilliseconds: 100, limit: 100) {
                    got.append("\($0)/\($1.partition)@\($1.offset)")
                }
            }
        }
        try reader.assign([one: 1])
        try poll(until: 2)
        #expect(got == ["read/1@1", "read/1@2"])
        #expect(try reader.watermarks(one, timeoutMilliseconds: 5_000) == (0, 3))
        #expect(try reader.offset(one, at: 0, timeoutMilliseconds: 5_000) == nil, "the embedded broker cannot tell")

        got = []
        try reader.assign([one: 2, three: 0])
        try poll(until: 2)
        #expect(got.sorted() == ["read/1@2", "read/3@0"])

        got = []
        try reader.assign([three: 0])
        try Fixture.produce(["d"], to: "read", partition: 1)
        try poll(until: 1)
        try reader.poll(timeoutMilliseconds: 100, limit: 100) { got.append("\($0)/\($1.partition)@\($1.offset)") }
        #expect(got == ["read/3@0"])
        reader.close()
    }

    /// librdkafka knows the leader from before, so the query waits for a connection to it, not for metadata.
    @Test func aQueryWithoutABrokerEndsWithItsTime() throws {
        let broker = try EmbeddedBroker(logger: Fixture.quiet)
        defer { broker.close() }
        try Fixture.produce(["a", "b"], to: "away", on: broker)
        let reader = try Fixture.reader(on: broker)
        let partition = TopicPartition(topic: "away", partition: 0)
        #expect(try reader.watermarks(partition, timeoutMilliseconds: 20_000) == (0, 2))
        try broker.setReachable(false)
        let asking = UncheckedReader(reader: reader)
        let answered = DispatchSemaphore(value: 0)
        let codes = Mutex<[SluiceError.Retry?]>([])
        let thread = Thread {
            for _ in 0..<2 {
                var retry: SluiceError.Retry?
                do {
                    _ = try asking.reader.watermarks(partition, timeoutMilliseconds: 500)
                } catch { retry = (error as? SluiceError)?.retry }
                codes.withLock { $0.append(retry) }
            }
            answered.signal()
        }
        thread.start()
        try #require(answered.wait(timeout: .now() + 20) == .success)
        #expect(codes.withLock { $0 } == [.later, .later])
        try broker.setReachable(true)
        #expect(try reader.watermarks(partition, timeoutMilliseconds: 20_000) == (0, 2))
        reader.close()
    }

    /// A broker answers in turn, and a fetch at the end of the log stays open for longer than the question may take.
    @Test func watermarksDoNotWaitBehindAFetch() throws {
        try Fixture.produce(["a"], to: "open")
        let reader = try Fixture.reader(["fetch.wait.max.ms": "50000"])
        defer { reader.close() }
        let partition = TopicPartition(topic: "open", partition: 0)
        try reader.assign([partition: 0])
        let end = ContinuousClock.now + .seconds(20)
        while reader.position(partition) == 0, .now < end {
            try reader.poll(timeoutMilliseconds: 100, limit: 1) { _, _ in }
        }
        try #require(reader.position(partition) == 1)
        #expect(try reader.watermarks(partition, timeoutMilliseconds: 20_000) == (0, 1))
    }

    @Test func arrivalIsTold() throws {
        try Fixture.produce(["a"], to: "arrival")
        let reader = try Fixture.reader()
        let arrived = DispatchSemaphore(value: 0)
        try reader.assign([TopicPartition(topic: "arrival", partition: 0): 1])
        try reader.poll(timeoutMilliseconds: 200, limit: 10) { _, _ in Issue.record("nothing is there yet") }
        reader.onArrival { arrived.signal() }
        try Fixture.produce(["b"], to: "arrival")
        var offsets: [Offset] = []
        // The end that was met is told as well, and brings no record.
        while offsets.isEmpty, arrived.wait(timeout: .now() + 20) == .success {
            try reader.poll(timeoutMilliseconds: 0, limit: 10) { offsets.append($1.offset) }
        }
        #expect(offsets == [1])
        reader.close()
    }

    @Test func theEndIsAPositionAndNoRecord() throws {
        try Fixture.produce(["a", "b", "c"], to: "end", partition: 1)
        let reader = try Fixture.reader()
        let full = TopicPartition(topic: "end", partition: 1)
        let empty = TopicPartition(topic: "end", partition: 2)
        #expect(reader.position(full) == nil)
        try reader.assign([full: 1, empty: 0])
        #expect(reader.position(full) == 1 && reader.position(empty) == 0)
        var offsets: [Offset] = []
        let end = ContinuousClock.now + .seconds(20)
        while reader.position(full) != 3, .now < end {
            try reader.poll(timeoutMilliseconds: 100, limit: 10) { offsets.append($1.offset) }
        }
        for _ in 0..<3 { try reader.poll(timeoutMilliseconds: 100, limit: 10) { offsets.append($1.offset) } }
        #expect(offsets == [1, 2])
        #expect(reader.position(full) == 3 && reader.position(empty) == 0)
        #expect(try reader.highWatermark(full, timeoutMilliseconds: 5_000) == 3)
        #expect(try reader.highWatermark(empty, timeoutMilliseconds: 5_000) == 0)
        reader.close()
        #expect(reader.position(full) == nil)
    }

    @Test func anOffsetThatIsNotThereIsNamed() throws {
        try Fixture.produce(["a"], to: "range")
        let reader = try Fixture.reader()
        try reader.assign([TopicPartition(topic: "range", partition: 0): 77])
        let error = #expect(throws: SluiceError.self) {
            for _ in 0..<100 { try reader.poll(timeoutMilliseconds: 200, limit: 10) { _, _ in } }
        }
        #expect(error?.code == .offsetOutOfRange)
        #expect(error?.retry == .fatal, "a new worker looks where the log begins")
        #expect(error?.message.contains("range/0: offset 77") == true)
        reader.close()
    }
}

/// Carries a reader to the one thread that uses it meanwhile.
private struct UncheckedReader: @unchecked Sendable {
    // The test's own thread waits until the other has ended.
    let reader: KafkaReader
}
