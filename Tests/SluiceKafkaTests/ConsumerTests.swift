import SluiceCore
import SluiceLog
import Synchronization
import Testing

@testable import SluiceKafka

@Suite struct ConsumerTests {
    @Test func bytesNullsHeadersAndTimesArriveAsProduced() throws {
        let producer = try Fixture.producer("bytes")
        var batch = OutputBatch()
        batch.add(
            key: "k", value: "v", timestamp: 1_700_000_000_123, headers: [("other", "x"), ("sluice-boundary", "start")])
        batch.add(key: nil, value: "")
        batch.add(key: "ended", value: nil)
        batch.add(key: "", value: "plain")
        #expect(try producer.produce(&batch))
        #expect(try producer.flush(timeoutMilliseconds: 10_000))
        #expect(producer.pending == 0)

        let reader = try Fixture.reader()
        try reader.assign([TopicPartition(topic: "bytes", partition: 0): 0])
        var copies: [Copy] = []
        let end = ContinuousClock.now + .seconds(60)
        while copies.count < 4, .now < end {
            try reader.poll(timeoutMilliseconds: 100, limit: 10) { copies.append(Copy($1)) }
        }
        reader.close()
        #expect(copies.map(\.key) == ["k", nil, "ended", ""])
        #expect(copies.map(\.value) == ["v", "", nil, "plain"])
        #expect(copies.map(\.boundary) == ["start", nil, nil, nil])
        #expect(copies.map(\.offset) == [0, 1, 2, 3])
        #expect(copies.first?.timestamp == 1_700_000_000_123)
    }

    /// One group through the life of a member: gate, start, pause, resume, commit, watermarks, wake, a start out of
    /// range.
    @Test func aMemberIsGatedStartedPausedCommittedAndWoken() throws {
        try Fixture.produce((0..<10).map { "\($0)" }, to: "life", partition: 2)
        let consumer = try Fixture.consumer("life", group: "life")
        let recorder = Recorder(consumer, startOffset: nil)
        try consumer.subscribe(recorder)
        var copies: [Copy] = []
        try consumer.poll(into: &copies) { _ in !recorder.events.isEmpty }
        for _ in 0..<5 { try consumer.poll(timeoutMilliseconds: 50, limit: 100) { copies += $0.map { Copy($0) } } }
        #expect(copies == [], "gated")
        #expect(consumer.position(2) == nil && consumer.position(99) == nil)

        #expect(try consumer.committed([0, 1, 2, 3], timeoutMilliseconds: 5_000) == [])
        #expect(try consumer.watermarks(partition: 2, timeoutMilliseconds: 5_000) == (0, 10))
        try consumer.start(partition: 2, at: 4)
        try consumer.poll(into: &copies) { $0.count >= 6 }
        #expect(copies.map(\.offset) == [4, 5, 6, 7, 8, 9])
        for _ in 0..<5 { try consumer.poll(timeoutMilliseconds: 50, limit: 100) { copies += $0.map { Copy($0) } } }
        #expect(consumer.position(2) == 10 && copies.count == 6, "the end is met")

        // Paused: nothing of the partition; resumed: exactly what came meanwhile.
        try consumer.pause([2])
        try Fixture.produce(["10", "11"], to: "life", partition: 2)
        for _ in 0..<5 { try consumer.poll(timeoutMilliseconds: 50, limit: 100) { copies += $0.map { Copy($0) } } }
        #expect(copies.count == 6)
        try consumer.resume([2])
        try consumer.poll(into: &copies) { $0.count >= 8 }
        #expect(copies.map(\.offset) == [4, 5, 6, 7, 8, 9, 10, 11])

        // Rewound, and paused before anything of it was delivered.
        copies = []
        try consumer.start(partition: 2, at: 8)
        try consumer.pause([2])
        for _ in 0..<3 { try consumer.poll(timeoutMilliseconds: 50, limit: 100) { copies += $0.map { Copy($0) } } }
        #expect(copies == [])
        try consumer.resume([2])
        try consumer.poll(into: &copies) { $0.count >= 4 }
        #expect(copies.map(\.offset) == [8, 9, 10, 11])

        let positions = [
            CommittedPosition(partition: 1, offset: 7, metadata: ""),
            CommittedPosition(partition: 2, offset: 12, metadata: "R=8;id=ä"),
        ]
        try consumer.commit(positions)
        #expect(try consumer.committed([0, 1, 2, 3], timeoutMilliseconds: 5_000) == positions)

        let waker = UncheckedWaker(consumer)
        let thread = Task.detached { waker.wake() }
        try consumer.poll(timeoutMilliseconds: 600_000, limit: 10) { _ in }
        _ = thread

        // A record ends the wait for it: no timer stands between its arrival and the poll that brings it.
        let arrival = Task.detached { try Fixture.produce(["12"], to: "life", partition: 2) }
        while copies.count < 5 {
            try consumer.poll(timeoutMilliseconds: 600_000, limit: 10) { copies += $0.map { Copy($0) } }
        }
        #expect(copies.last?.offset == 12)
        _ = arrival

        try consumer.start(partition: 2, at: 1_000_000)
        let error = #expect(throws: SluiceError.self) { try consumer.poll(into: &copies) { _ in false } }
        #expect(error?.code == .offsetOutOfRange)
        #expect(error?.message.contains("life/2") == true && error?.message.contains("1000000") == true)
        #expect(throws: SluiceError.self) { try consumer.start(partition: 99, at: 0) }
        consumer.close()
        #expect(recorder.events == [.assigned([0, 1, 2, 3]), .revoked([0, 1, 2, 3])])
    }

    /// Held back behind the request to join, a commit would carry the generation before and lose the assignment.
    @Test func aCommitWhileAnotherJoinsIsRefusedAndCostsNothing() throws {
        let more = ["heartbeat.interval.ms": "200", "session.timeout.ms": "6000"]
        let first = try Fixture.consumer("joining", group: "joining", more)
        let second = try Fixture.consumer("joining", group: "joining", more)
        let (one, two) = (Recorder(first), Recorder(second))
        var copies: [Copy] = []
        let alone = #expect(throws: SluiceError.self) { try first.membership() }
        #expect(alone?.retry == .later, "a member of no generation")
        try first.subscribe(one)
        try first.poll(into: &copies) { _ in one.owned.count == 4 }
        let position = CommittedPosition(partition: 0, offset: 0, metadata: "")
        try first.commit([position])
        let before = try first.membership()
        #expect(before.group == "joining" && before.generation >= 0 && !before.member.isEmpty)
        try second.subscribe(two)
        func poll(until done: () -> Bool) throws {
            let end = ContinuousClock.now + .seconds(60)
            while !done(), .now < end {
                for consumer in [first, second] { try consumer.poll(timeoutMilliseconds: 10, limit: 10) { _ in } }
            }
        }
        try poll { first.handle.context.isJoining.load(ordering: .relaxed) }
        let refusal = #expect(throws: SluiceError.self) { try first.commit([position]) }
        #expect(refusal?.retry == .later)
        let changing = #expect(throws: SluiceError.self) { try first.membership() }
        #expect(changing?.retry == .later)
        try poll { two.owned.count == 2 }
        try poll { !first.handle.context.isJoining.load(ordering: .relaxed) }
        try first.commit([position])
        let after = try first.membership()
        #expect(after.generation > before.generation && after.member == before.member)
        #expect(try second.membership().generation == after.generation)
        #expect(one.owned.count == 2)
        #expect(!one.events.contains { if case .lost = $0 { true } else { false } })
        second.close()
        first.close()
    }

    @Test(arguments: ["cooperative-sticky", "range"])
    func twoMembersNeverBothOwnAPartition(_ strategy: String) throws {
        let topic = "shared-\(strategy)"
        for partition in 0..<4 { try Fixture.produce(["a", "b", "c"], to: topic, partition: Int32(partition)) }
        // The embedded broker waits for members as long as a session but for a second, at each of the two rounds that a
        // cooperative rebalance takes: a long session would outlast the wait below, a short one a busy machine.
        let more = [
            "partition.assignment.strategy": strategy, "heartbeat.interval.ms": "200", "session.timeout.ms": "10000",
        ]
        let first = try Fixture.consumer(topic, group: topic, more)
        let second = try Fixture.consumer(topic, group: topic, more)
        let one = Recorder(first)
        let two = Recorder(second)
        var delivered: [[Copy]] = [[], []]
        var committed: [Int32] = []
        one.onRevoke = { partitions in
            // The last moment to commit. The embedded broker may refuse it while the group rebalances; real ones take
            // it.
            do {
                try first.commit(partitions.map { CommittedPosition(partition: $0, offset: 3, metadata: "revoked") })
                committed += partitions
            } catch {
                #expect((error as? SluiceError)?.retry == .later)
            }
        }
        two.startOffset = { partition in
            #expect(!one.owned.contains(partition), "revoked before it is assigned elsewhere")
            return 1
        }
        try first.subscribe(one)
        try first.poll(into: &delivered[0]) { $0.count >= 12 }
        #expect(one.owned == [0, 1, 2, 3])
        try second.subscribe(two)
        let end = ContinuousClock.now + .seconds(60)
        while delivered[1].count < 4, .now < end {
            try first.poll(timeoutMilliseconds: 20, limit: 100) { delivered[0] += $0.map { Copy($0) } }
            try second.poll(timeoutMilliseconds: 20, limit: 100) { delivered[1] += $0.map { Copy($0) } }
            #expect(one.owned.isDisjoint(with: two.owned))
        }
        #expect(one.owned.union(two.owned) == [0, 1, 2, 3])
        #expect(two.owned.count == 2)
        #expect(delivered[1].allSatisfy { two.owned.contains($0.partition) && $0.offset >= 1 })
        let moved = try second.committed([0, 1, 2, 3], timeoutMilliseconds: 5_000)
        #expect(moved.map(\.partition) == committed.sorted())
        #expect(moved.allSatisfy { $0.metadata == "revoked" && $0.offset == 3 })
        second.close()
        first.close()
        #expect(one.owned.isEmpty && two.owned.isEmpty)
    }
}

/// Carries the one call that may come from any thread to one.
struct UncheckedWaker: @unchecked Sendable {
    let consumer: KafkaConsumer
    init(_ consumer: KafkaConsumer) { self.consumer = consumer }
    func wake() { consumer.wake() }
}
