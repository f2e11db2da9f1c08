import SluiceCore
import SluiceLog
import Testing

@testable import SluiceEngine

@Suite struct OutputsUnderwayTests {
    private let notes = Notes()
    private var produced: [[Int64]] { notes.seen.produced.map { [Int64($0.records), $0.nanoseconds] } }

    @Test func aBatchIsProducedWhenTheLastOfItsOutputsHasLeft() {
        var underway = OutputsUnderway()
        var outputs = OutputBatch()
        outputs.append(10)
        underway.add(10, arrived: 100, outputs)
        outputs.append(4)
        underway.add(4, arrived: 200, outputs)
        outputs.handOver(0..<9)
        underway.left(outputs, at: 300, notes)
        #expect(produced.isEmpty)
        outputs.handOver(9..<10)
        underway.left(outputs, at: 310, notes)
        #expect(produced == [[10, 210]])
        // The next ones are appended meanwhile.
        outputs.append(7)
        underway.add(7, arrived: 320, outputs)
        outputs.handOver(10..<21)
        underway.left(outputs, at: 420, notes)
        #expect(produced == [[10, 210], [4, 220], [7, 100]])
    }

    @Test func whatOnePartitionWaitsForIsNoMatterOfAnother() {
        var underway = OutputsUnderway()
        var outputs = OutputBatch()
        outputs.append(3, partition: 0)
        outputs.append(2, partition: 1)
        underway.add(5, arrived: 0, outputs)
        outputs.append(4, partition: 1)
        underway.add(4, arrived: 10, outputs)
        outputs.handOver(3..<9)
        underway.left(outputs, at: 20, notes)
        #expect(produced == [[2, 20], [4, 10]])
        outputs.handOver(0..<3)
        underway.left(outputs, at: 90, notes)
        #expect(produced == [[2, 20], [4, 10], [3, 90]])
    }

    @Test func inputsWithoutOutputsGoWithTheLast() {
        var underway = OutputsUnderway()
        var outputs = OutputBatch()
        outputs.append(2, partition: 0)
        outputs.append(1, partition: 1)
        underway.add(7, arrived: 0, outputs)
        underway.add(2, arrived: 1, outputs)
        underway.left(outputs, at: 10, notes)
        #expect(produced == [[2, 9]], "nothing of them has to leave")
        outputs.handOver(0..<3)
        underway.left(outputs, at: 20, notes)
        #expect(produced == [[2, 9], [2, 20], [5, 20]])
    }

    @Test func whatGoesToAnyPartitionIsAmongTheOthers() {
        var underway = OutputsUnderway()
        var outputs = OutputBatch()
        for partition: Int32 in [-1, 0, -1, 0, 1, -1, 1] { outputs.append(1, partition: partition) }
        underway.add(7, arrived: 0, outputs)
        outputs.handOver(0..<4)
        underway.left(outputs, at: 1, notes)
        #expect(produced == [[4, 1]])
        outputs.handOver(4..<7)
        underway.left(outputs, at: 2, notes)
        #expect(produced == [[4, 1], [3, 2]])
    }

    @Test func whatLeavesTogetherIsProducedTogether() {
        var underway = OutputsUnderway()
        var outputs = OutputBatch()
        outputs.append(3)
        underway.add(3, arrived: 0, outputs)
        underway.removeAll()
        outputs.removeAll()
        outputs.append(1)
        underway.add(1, arrived: 5, outputs)
        underway.leftAll(at: 9, notes)
        #expect(produced == [[1, 4]], "what is given up is never produced")
    }

    @Test func aCommitWaitsForAllThatItSaysAndNoMore() {
        var underway = OutputsUnderway()
        var outputs = OutputBatch()
        outputs.append(4)
        underway.beginCommit(outputs)
        outputs.append(4)
        outputs.handOver(0..<2)
        outputs.handOver(3..<8)
        var hasLeft = underway.hasCommitLeft(outputs)
        #expect(!hasLeft)
        outputs.handOver(2..<3)
        hasLeft = underway.hasCommitLeft(outputs)
        #expect(hasLeft)
    }

    /// Whatever has been taken when what has gone is dropped.
    @Test(arguments: 0..<64) func marksFollowTheirEntriesWhenWhatHasGoneIsDropped(_ taken: Int) {
        var underway = OutputsUnderway()
        var outputs = OutputBatch()
        outputs.append(1, partition: 0)
        outputs.append(2, partition: 1)
        underway.add(3, arrived: 0, outputs)
        underway.beginCommit(outputs)
        outputs.append(3, partition: 0)
        underway.add(3, arrived: 0, outputs)
        for index in 0..<6 where taken >> index & 1 == 1 { outputs.handOver(index..<index + 1) }
        underway.left(outputs, at: 1, notes)
        let before = produced
        underway.dropHandedOver(from: outputs)
        outputs.dropHandedOver()
        let waiting = outputs.waiting
        #expect(waiting == 6 - taken.nonzeroBitCount)
        var hasLeft = underway.hasCommitLeft(outputs)
        #expect(hasLeft == (taken & 7 == 7))
        underway.left(outputs, at: 2, notes)
        #expect(produced == before, "nothing has left meanwhile")
        outputs.append(1, partition: 0)
        underway.add(1, arrived: 0, outputs)
        outputs.handOver(0..<waiting)
        hasLeft = underway.hasCommitLeft(outputs)
        #expect(hasLeft)
        underway.left(outputs, at: 3, notes)
        #expect(produced.reduce(0) { $0 + $1[0] } == 6)
        outputs.handOver(waiting..<waiting + 1)
        underway.left(outputs, at: 4, notes)
        #expect(produced.last == [1, 4])
    }
}

/// What a batch keeps when what has gone is dropped.
@Suite struct OutputBatchTests {
    @Test func whatWaitsKeepsItsBytesAndItsOrder() {
        var outputs = OutputBatch()
        func text(_ range: Range<Int>?) -> String? {
            range.map { String(decoding: outputs.arena.bytes($0), as: UTF8.self) }
        }
        outputs.append(key: "a", value: "gone", header: ("reason", "x"))
        outputs.append(key: "b", value: nil, header: ("reason", "yy"))
        outputs.append(key: "c", value: "gone too", header: nil)
        outputs.append(key: nil, value: "", header: ("reason", "zzz"))
        outputs.handOver(0..<1)
        outputs.handOver(2..<3)
        for _ in 0..<2 {
            outputs.dropHandedOver()
            let (entries, headers) = (outputs.entries, outputs.headers)
            let counts = [outputs.waiting, outputs.handedOver, outputs.next, outputs.arena.count]
            #expect(counts == [2, 0, 0, 6])
            #expect(entries.map { text($0.key) } == ["b", nil])
            #expect(entries.map { text($0.value) } == [nil, ""])
            #expect(entries.map { $0.headers } == [0..<1, 1..<2])
            #expect(headers.map { text($0.value) } == ["yy", "zzz"])
        }
        outputs.append(key: "d", value: "new", header: nil)
        let last = outputs.entries[2].value
        #expect(text(last) == "new")
    }
}

extension OutputBatch {
    fileprivate mutating func append(_ count: Int, partition: Int32 = 0) {
        for _ in 0..<count {
            entries.append(Entry(topic: .predictions, partition: partition, key: nil, value: nil))
        }
    }

    fileprivate mutating func append(key: String?, value: String?, header: (name: String, value: String)?) {
        func bytes(_ text: String?) -> Range<Int>? {
            guard let text else { return nil }
            let start = arena.count
            arena.append(text)
            return start..<arena.count
        }
        let first = headers.count
        let (key, value) = (bytes(key), bytes(value))
        if let header { headers.append(Header(name: header.name, value: bytes(header.value) ?? 0..<0)) }
        entries.append(
            Entry(topic: .rejects, partition: 0, key: key, value: value, headers: first..<headers.count))
    }

    fileprivate mutating func handOver(_ indices: Range<Int>) { for index in indices { handOver(index) } }
}
