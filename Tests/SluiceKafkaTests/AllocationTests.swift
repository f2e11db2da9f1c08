import SluiceCore
import SluiceLog
import SluiceTestKit
import Testing

@testable import SluiceKafka

/// Between librdkafka and the fold a record with a key and no headers costs no heap allocation of this thread, but for
/// the copy that librdkafka makes of an output, which is one.
@Suite struct AllocationTests {
    @Test func takingRecordsAllocatesNothingForARecord() throws {
        let producer = try Fixture.producer("taken")
        let count = 4 * Limits.batchRecords
        for _ in 0..<4 {
            var batch = OutputBatch()
            for index in 0..<Limits.batchRecords { batch.add(key: "stream-\(index % 7)", value: "\(index)") }
            try producer.produce(&batch)
            #expect(try producer.flush(timeoutMilliseconds: 10_000))
        }
        producer.close()
        let consumer = try Fixture.consumer("taken", group: "taken")
        let recorder = Recorder(consumer)
        try consumer.subscribe(recorder)
        var polls: [(records: Int, allocations: Int)] = []
        var taken = 0
        let end = ContinuousClock.now + .seconds(20)
        while taken < count, .now < end {
            let limit = [1, 100, Limits.batchRecords][polls.count % 3]
            var records = 0
            let allocations = try allocations {
                try consumer.poll(timeoutMilliseconds: 100, limit: limit) { records = $0.count }
            }
            guard records > 0 else { continue }
            taken += records
            polls.append((records, allocations))
        }
        consumer.close()
        #expect(taken == count && polls.contains { $0.records == 1 } && polls.contains { $0.records >= 1_000 })
        // The first of them may be the one in which it is assigned.
        #expect(polls.dropFirst().allSatisfy { $0.allocations <= 2 }, "\(polls)")
    }

    @Test func handingOutputsOverAllocatesTheCopiesAlone() throws {
        let producer = try Fixture.producer("copied")
        var beside: [Int] = []
        for count in [4_096, 4_096, 1, 100, 4_096] {
            var batch = OutputBatch()
            for index in 0..<count { batch.add(key: "k", value: "\(index)") }
            let allocations = try allocations { try producer.produce(&batch) }
            let isHandedOver = batch.isHandedOver
            #expect(isHandedOver)
            beside.append(allocations - count)
            while try !producer.flush(timeoutMilliseconds: 10_000) {}
        }
        producer.close()
        #expect(beside.suffix(3).allSatisfy { $0 <= 2 }, "\(beside)")
    }
}
