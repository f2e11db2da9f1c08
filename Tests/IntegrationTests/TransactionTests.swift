import SluiceCore
import SluiceKafka
import SluiceLog
import Testing

/// What transactions promise, on a real cluster: the embedded broker accepts them and isolates none.
@Suite(.enabled(if: Cluster.bootstrap != nil, "SLUICE_TEST_BOOTSTRAP names no cluster"), .serialized)
struct TransactionTests {
    let cluster: Cluster
    let zero: TopicPartition
    let one: TopicPartition
    let slots: TopicPartition

    init() throws {
        cluster = try Cluster()
        zero = TopicPartition(topic: cluster.predictions, partition: 0)
        one = TopicPartition(topic: cluster.predictions, partition: 1)
        slots = TopicPartition(topic: cluster.slots, partition: 0)
    }

    private func high(_ reader: CopyingReader) throws -> Offset {
        try reader.reader.highWatermark(slots, timeoutMilliseconds: Cluster.timeoutMilliseconds)
    }

    @Test func whatIsCommittedBecomesVisibleTogetherAndWhatIsAbortedNever() throws {
        let producer = try cluster.producer()
        defer { producer.producer.close() }
        let reader = try cluster.reader([zero: 0, one: 0, slots: 0])
        defer { reader.reader.close() }
        let first = Transaction.of("a", "b")
        try producer.run(.initialise, .produce(first))
        #expect(producer.producer.changelogEnd(0) == 2)
        // Open: the log's end is behind its records, the decided end before them.
        #expect(try high(reader) == 2)
        #expect(try reader.reader.watermarks(slots, timeoutMilliseconds: Cluster.timeoutMilliseconds) == (0, 0))
        for _ in 0..<20 { try reader.poll() }
        #expect(reader.values == [])
        #expect(reader.reader.position(slots) == 0)

        try producer.run(.commit)
        // Two records and the mark of the commit, which no record stands for.
        try reader.poll(until: [zero: 3, one: 3, slots: 3])
        let visible = ["predictions/0:a", "predictions/0:b", "predictions/1:a", "predictions/1:b", "slots/0:a"]
        #expect(reader.values.sorted() == visible + ["slots/0:b"])
        #expect(try high(reader) == 3)

        try producer.run(.produce(.of("never")), .abort)
        try reader.poll(until: [zero: 5, one: 5, slots: 5])
        #expect(reader.values.count == 6)
        #expect(try high(reader) == 5)

        // The same bytes once more, and this time for good.
        try producer.run(.produce(first), .commit)
        #expect(producer.producer.changelogEnd(0) == 7)
        try reader.poll(until: [zero: 8, one: 8, slots: 8])
        #expect(reader.values.filter { $0.hasPrefix("slots") } == ["a", "b", "a", "b"].map { "slots/0:\($0)" })
    }

    /// Retention may take a partition that ends with a mark as a whole: no position may seem to need any of it.
    @Test func aMembersPositionPassesTheMarkAtTheEnd() throws {
        let consumer = try cluster.member(Ownership())
        defer { consumer.close() }
        let producer = try cluster.producer(rejects: cluster.input)
        defer { producer.producer.close() }
        let transaction = Transaction()
        transaction.addReject("abc", header: nil)
        try producer.run(.initialise, .produce(transaction), .commit)
        for (start, records) in [(Offset(0), 1), (1, 0)] {
            var count = 0
            try consumer.start(partition: 0, at: start)
            let end = ContinuousClock.now + .seconds(60)
            while consumer.position(0) != 2, .now < end {
                try consumer.poll(timeoutMilliseconds: 100, limit: 10) { count += $0.count }
            }
            #expect(consumer.position(0) == 2 && count == records)
        }
    }

    @Test func anOffsetBehindTheLogIsNamed() throws {
        let reader = try cluster.reader([slots: 5])
        defer { reader.reader.close() }
        let error = #expect(throws: SluiceError.self) { for _ in 0..<200 { try reader.poll() } }
        #expect(error?.code == .offsetOutOfRange)
    }

    @Test func positionsAndTheirMetadataAreThoseOfTheLastCommit() throws {
        let ownership = Ownership()
        let consumer = try cluster.member(ownership)
        defer { consumer.close() }
        let producer = try cluster.producer()
        defer { producer.producer.close() }
        let member = try consumer.membership()
        let kept = [
            CommittedPosition(partition: 0, offset: 7, metadata: "R=5;id=ä"),
            CommittedPosition(partition: 1, offset: 9, metadata: ""),
        ]
        let first = Transaction.of("a", positions: kept)
        try producer.run(.initialise, .produce(first), .sendPositions(first, member), .commit)
        #expect(try consumer.committed([0, 1], timeoutMilliseconds: Cluster.timeoutMilliseconds) == kept)

        let given = [CommittedPosition(partition: 0, offset: 8, metadata: "no")]
        let second = Transaction.of("b", positions: given)
        try producer.run(.produce(second), .sendPositions(second, member), .abort)
        #expect(try consumer.committed([0, 1], timeoutMilliseconds: Cluster.timeoutMilliseconds) == kept)
    }

    @Test func aMemberThatIsNoneIsRefusedAndTheSameBytesFollow() throws {
        let ownership = Ownership()
        let consumer = try cluster.member(ownership)
        defer { consumer.close() }
        let producer = try cluster.producer()
        defer { producer.producer.close() }
        let member = try consumer.membership()
        let position = CommittedPosition(partition: 0, offset: 1, metadata: "R=0")
        let transaction = Transaction.of("a", positions: [position])
        try producer.run(.initialise)
        var late = member
        late.generation -= 1
        var stranger = member
        stranger.member = "stranger"
        for wrong in [late, stranger] {
            try producer.run(.produce(transaction))
            #expect(try producer.failure(.sendPositions(transaction, wrong))?.remedy == .abort)
            try producer.run(.abort)
        }
        try producer.run(.produce(transaction), .sendPositions(transaction, member), .commit)
        #expect(try consumer.committed([0, 1], timeoutMilliseconds: Cluster.timeoutMilliseconds) == [position])
        let reader = try cluster.reader([slots: 0])
        defer { reader.reader.close() }
        try reader.poll(until: [slots: 6])
        #expect(reader.values == ["slots/0:a"])
    }

    @Test func aSecondProducerOfTheNameFencesTheFirst() throws {
        let first = try cluster.producer()
        defer { first.producer.close() }
        try first.run(.initialise, .produce(.of("zombie")))
        let second = try cluster.producer()
        defer { second.producer.close() }
        try second.run(.initialise, .produce(.of("heir")), .commit)
        #expect(try first.failure(.commit)?.remedy == .anew)
        let reader = try cluster.reader([slots: 0])
        defer { reader.reader.close() }
        try reader.poll(until: [slots: 4])
        #expect(reader.values == ["slots/0:heir"])
    }

    @Test func aFencedProducersOutputsAreRefused() throws {
        let first = try cluster.producer()
        defer { first.producer.close() }
        try first.run(.initialise, .produce(.of("a")), .commit)
        let second = try cluster.producer()
        defer { second.producer.close() }
        try second.run(.initialise)
        #expect(try first.failure(.produce(.of("zombie")))?.remedy == .anew)
        let reader = try cluster.reader([slots: 0])
        defer { reader.reader.close() }
        try reader.poll(until: [slots: 2])
        #expect(reader.values == ["slots/0:a"])
    }

    /// A topic's limit is held against the size that is counted here, to the byte.
    @Test(arguments: [40, 64, 5_000, 9_000], [false, true]) func aTopicTakesRecordsUpToItsLimit(
        valueBytes: Int, hasHeader: Bool
    ) throws {
        let transaction = Transaction()
        let value = String(repeating: "x", count: valueBytes)
        transaction.addReject(value, header: hasHeader ? "name" : nil)
        let bytes = transaction.outputs.recordBytes(transaction.outputs.entries[0])
        let fitting = try cluster.producer("fitting", rejects: cluster.limitedTopic(bytes), isAlone: true)
        defer { fitting.producer.close() }
        try fitting.run(.initialise, .produce(transaction), .commit)

        let producer = try cluster.producer("refused", rejects: cluster.limitedTopic(bytes - 1), isAlone: true)
        defer { producer.producer.close() }
        try producer.run(.initialise)
        let failure = try #require(try producer.failure(.produce(transaction)))
        let refusal = try #require(failure.error.refusal)
        #expect(refusal.topic == .rejects && refusal.bytes == bytes && refusal.isTooLarge && refusal.isAlone)
        #expect(failure.error.remedy?.contains("max.message.bytes of the topic \(cluster.name)") == true)
    }

    /// A producer that is gone with a transaction open; its time-out would be ten seconds.
    @Test func aSuccessorEndsWhatWasLeftOpen() throws {
        let gone = try cluster.producer()
        try gone.run(.initialise, .produce(.of("left")))
        gone.producer.close()
        let reader = try cluster.reader([slots: 0])
        defer { reader.reader.close() }
        #expect(try high(reader) == 1)
        let successor = try cluster.producer()
        defer { successor.producer.close() }
        try successor.run(.initialise)
        let (_, decided) = try reader.reader.watermarks(slots, timeoutMilliseconds: Cluster.timeoutMilliseconds)
        #expect(decided == 2, "decided by the time that it is initialised")
        try reader.poll(until: [slots: 2])
        #expect(reader.values == [])
    }
}
