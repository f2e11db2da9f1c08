import SluiceCore
import SluiceLog
import Testing

@testable import SluiceKafka

@Suite struct PrefetchTests {
    /// What the queue holds before a batch of 1,000 is taken: the client stops where it is full, and is woken once,
    /// when half is used.
    @Test func aFullQueueIsWokenOnceWhenHalfIsUsed() {
        var prefetch = Prefetch(bytesMaximum: 1_000_000, messagesMaximum: 1_000_000)
        func woken(_ held: Int...) -> [Int] {
            held.filter { prefetch.isDue(held: $0, left: max(0, $0 - 1_000), size: 100) }
        }
        #expect(woken(10_200, 9_000, 7_000, 6_001) == [])
        #expect(woken(6_000, 4_000, 100, 0) == [6_000])
        #expect(woken(7_400, 4_000) == [], "it was never full")
        #expect(woken(7_500, 4_000) == [4_000], "it may have been while nobody looked")
        #expect(woken(20_000, 0) == [0])
    }

    @Test func manySmallMessagesFillItByTheirNumber() {
        var prefetch = Prefetch(bytesMaximum: 1 << 40, messagesMaximum: 1_000)
        #expect([1_001, 502, 501, 500].filter { prefetch.isDue(held: $0, left: $0 - 1, size: 0) } == [501])
    }

    /// One batch may be more than half of the queue, or all of it.
    @Test(arguments: [(8_500, 4_096), (16, 16), (1, 1)]) func largeMessagesWakeWithEachQueueful(held: Int, taken: Int) {
        var prefetch = Prefetch(bytesMaximum: 16 << 20, messagesMaximum: 1_000_000)
        let size = (16 << 20) / held
        let due = (0..<10).filter { _ in prefetch.isDue(held: held, left: held - taken, size: size) }
        #expect(due.count == (taken * 2 >= held ? 10 : 0))
        #expect(prefetch.isDue(held: held - taken, left: 0, size: size) == (taken * 2 < held))
    }

    @Test func theLeastLimitsWake() {
        var prefetch = Prefetch(bytesMaximum: 1_024, messagesMaximum: 1)
        #expect([1, 1, 1].filter { prefetch.isDue(held: $0, left: 0, size: 10) } == [1, 1, 1])
    }

    @Test func aLiveLogNeverWakes() {
        var prefetch = Prefetch(bytesMaximum: 16 << 20, messagesMaximum: 1_000_000)
        #expect((0..<10_000).filter { prefetch.isDue(held: $0 % 700, left: 0, size: 140) } == [])
    }

    /// Many times what the client may hold, so that it stops and is woken many times: each record once, in order.
    @Test func whatIsWokenInBetweenComesWholeAndInOrder() throws {
        let values = (0..<8_000).map { String(repeating: "v", count: 512) + String($0) }
        for start in stride(from: 0, to: values.count, by: 1_000) {
            let some = Array(values[start..<start + 1_000])
            for partition: Int32 in 0...1 { try Fixture.produce(some, to: "prefetch", partition: partition) }
        }
        let limits = ["queued.max.messages.kbytes": "128", "fetch.max.bytes": "65536", "message.max.bytes": "60000"]
        let reader = try Fixture.reader(limits)
        try reader.assign([0, 1].reduce(into: [:]) { $0[TopicPartition(topic: "prefetch", partition: $1)] = 0 })
        var got: [[Int64]] = [[], []]
        let end = ContinuousClock.now + .seconds(60)
        while got.contains(where: { $0.count < values.count }), .now < end {
            try reader.poll(timeoutMilliseconds: 100, limit: 64) { got[Int($1.partition)].append($1.offset) }
        }
        #expect(got == [Array(0..<8_000), Array(0..<8_000)])
        reader.close()
    }
}
