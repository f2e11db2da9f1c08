import SluiceCore
import SluiceLog
import Testing

@testable import SluiceKafka

@Suite struct SendWindowTests {
    private static let limits = SendWindow.Limits(messages: 10, bytes: 1_000)

    private func choose(_ window: inout SendWindow, _ sizes: [Int]) -> [Int] {
        window.beginRound()
        for (index, size) in sizes.enumerated() { window.choose(index, size: size) }
        return window.chosen
    }

    @Test func aPartitionIsHandedOneRequestUntilThatIsAnswered() {
        var window = SendWindow(Self.limits)
        #expect(choose(&window, Array(repeating: 1, count: 25)) == Array(0..<10))
        window.handedOver(10)
        #expect(choose(&window, [1]).isEmpty)
        for _ in 0..<5 { window.reported(isMarked: false) }
        #expect(choose(&window, [1]).isEmpty, "five are under way: librdkafka would begin none")
        window.reported(isMarked: false)
        #expect(choose(&window, [1]) == [0])
    }

    @Test func aFewMessagesWaitForNoAnswer() {
        var window = SendWindow(Self.limits)
        for _ in 0..<5 {
            #expect(choose(&window, [1]) == [0])
            window.handedOver(1)
        }
        #expect(choose(&window, [1]).isEmpty)
    }

    @Test func aPartitionIsHungryWhileItHasRoomAndSomethingWaits() {
        var window = SendWindow(Self.limits)
        window.waiting = 12
        window.beginRound()
        #expect(window.isHungry)
        for index in 0..<10 { window.choose(index, size: 1) }
        window.choose(10, size: 1)
        #expect(!window.isHungry, "a request is full")
        window.handedOver(10)
        for _ in 0..<10 { window.reported(isMarked: false) }
        window.beginRound()
        #expect(window.isHungry && window.waiting == 2)
        for index in 10..<12 { window.choose(index, size: 1) }
        #expect(!window.isHungry, "nothing waits any more")
    }

    @Test func whatComesBehindAFullRequestWaitsThoughItWouldFit() {
        var window = SendWindow(Self.limits)
        #expect(choose(&window, [500, 500, 1]) == [0], "nine tenths of batch.size are 900 bytes, and order is kept")
        #expect(choose(&window, [2_000, 1]) == [0], "one message may be larger than a request")
    }

    /// Messages to "any" partition are reported on in any order: what counts is which, not how many.
    @Test func aMarkIsReachedWhenWhatWasBeforeItIsReportedOn() {
        let windows = SendWindows(topics: 1, Self.limits)
        func handOver(partition: Int) -> UnsafeMutableRawPointer {
            let window = unsafe windows.window(topic: 0, partition: partition)
            unsafe window.pointee.handedOver(1)
            return unsafe SendWindows.opaque(window)
        }
        let (one, other) = unsafe (handOver(partition: -1), handOver(partition: 0))
        #expect(windows.isMarkReported)
        windows.mark()
        #expect(!windows.isMarkReported)
        let later = unsafe handOver(partition: -1)
        unsafe SendWindows.report(later)
        unsafe SendWindows.report(other)
        #expect(!windows.isMarkReported)
        unsafe SendWindows.report(one)
        #expect(windows.isMarkReported)
        windows.mark()
        #expect(windows.isMarkReported, "nothing is under way")
        let last = unsafe handOver(partition: 1)
        windows.mark()
        #expect(!windows.isMarkReported)
        unsafe SendWindows.report(last)
        #expect(windows.isMarkReported)
        for index in 0..<windows.count { #expect(unsafe windows[index].pointee.underway == 0) }
    }

    @Test func aUsersOwnBatchIsNotExceeded() {
        #expect(SendWindow.Limits(messages: 3, bytes: 100_000).messages == 3)
        #expect(SendWindow.Limits(messages: 1_000_000, bytes: 100_000).messages == SendWindow.Limits.messagesMaximum)
        #expect(SendWindow.Limits(messages: 3, bytes: 100_000).bytes == 90_000)
    }

    @Test func aPartitionWithoutRoomKeepsBackNoOtherAndEachIsHandedOverOnce() throws {
        let broker = try EmbeddedBroker(logger: Fixture.quiet)
        defer { broker.close() }
        try broker.create("two", partitions: 3)
        try broker.setReachable(false)
        let producer = try Fixture.producer("two", ["batch.num.messages": "10"], on: broker)
        var batch = OutputBatch()
        for index in 0..<20 { batch.add(value: "\(index)", partition: 0) }
        for index in 20..<25 { batch.add(value: "\(index)", partition: 1) }
        #expect(try !producer.produce(&batch))
        let taken = batch.entries.indices.filter { batch.entries[$0].isHandedOver }
        #expect(taken == Array(0..<10) + Array(20..<25) && batch.next == 10 && producer.pending == 15)
        // What comes behind waits for its own partition alone, also where what has gone is dropped.
        for index in 25..<28 { batch.add(value: "\(index)", partition: 1) }
        for index in 28..<30 { batch.add(value: "\(index)", partition: 2) }
        batch.dropHandedOver()
        #expect(try !producer.produce(&batch))
        let later = batch.entries.indices.filter { batch.entries[$0].isHandedOver }
        #expect(later == [13, 14] && batch.waiting == 13 && producer.pending == 17)

        try broker.setReachable(true)
        while try !producer.produce(&batch) { try producer.poll(timeoutMilliseconds: 50) }
        while try !producer.flush(timeoutMilliseconds: 10_000) {}
        producer.close()
        let reader = try Fixture.reader(on: broker)
        defer { reader.close() }
        try reader.assign([
            TopicPartition(topic: "two", partition: 0): 0, TopicPartition(topic: "two", partition: 1): 0,
            TopicPartition(topic: "two", partition: 2): 0,
        ])
        var values: [Int32: [Int?]] = [:]
        let end = ContinuousClock.now + .seconds(20)
        while values.values.reduce(0, { $0 + $1.count }) < 30, .now < end {
            try reader.poll(timeoutMilliseconds: 100, limit: 100) {
                values[$1.partition, default: []].append(Int(String(decoding: $1.value, as: UTF8.self)))
            }
        }
        #expect(values == [0: (0..<20).map { $0 }, 1: (20..<28).map { $0 }, 2: [28, 29]])
    }
}
