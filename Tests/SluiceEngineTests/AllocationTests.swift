import SluiceCore
import SluiceLSTM
import SluiceLog
import SluiceSchema
import SluiceState
import SluiceTestKit
import Testing

@testable import SluiceEngine

/// In the steady state (every stream known, every buffer grown) records cost no heap allocation: none in a batch of
/// any size, a few in a commit.
///
/// Held in debug builds too. There a `for … in` over an array allocates once per element, as generic code of the
/// standard library is not specialised: loops on the path of a record count indices.
@Suite struct AllocationTests {
    /// In a topic and in a file, as JSON and as CSV.
    static let inputs: [InputSpecification] = [InputSpecification.Source.record, .field].flatMap { source in
        [.json, .csv(columns: SteadyRecords.columns)].map { format in
            InputSpecification(source: source, format: format, features: pumps.features)
        }
    }

    @Test(arguments: HeadKind.allCases) func foldingAllocatesNothing(head: HeadKind) throws {
        try expectNothing(SteadyFold(makeModel(head, classes: head == .categorical ? 3 : nil), pumps))
    }

    @Test(arguments: inputs) func readingAllocatesNothing(input: InputSpecification) throws {
        try expectNothing(SteadyFold(makeModel(), input))
    }

    @Test(arguments: SteadyRecords.Documents.allCases)
    func readingDocumentsInAnyOrderAllocatesNothing(documents: SteadyRecords.Documents) throws {
        try expectNothing(SteadyFold(makeModel(), pumps), documents)
    }

    private func expectNothing(_ steady: SteadyFold, _ documents: SteadyRecords.Documents = .escaped) throws {
        try withLogRecords(SteadyRecords.make(Limits.batchRecords, as: steady.input, documents)) { lent in
            for _ in 0..<2 { try steady.fold(lent, by: lent.count) }
            for size in [1, 100, lent.count] {
                let count = try allocations { try steady.fold(lent, by: size) }
                #expect(count == 0, "\(count) allocations for \(lent.count) records in batches of \(size)")
            }
            #expect(steady.predictions == 5 * lent.count)
        }
    }

    /// The tests above can fail: what a reject costs is seen.
    @Test func rejectsAllocateAndAreSeen() throws {
        let steady = try SteadyFold(makeModel(), pumps)
        let records = numbered((0..<1_000).map { _ in Record(key: Array("s".utf8), value: Array("no JSON".utf8)) })
        try withLogRecords(records) { lent in
            for _ in 0..<2 { try steady.fold(lent, by: lent.count) }
            #expect(try allocations { try steady.fold(lent, by: lent.count) } >= lent.count)
        }
    }

    @Test func aTurnOfTheWorkerAllocatesNothing() throws {
        for size in [1, 100, Limits.batchRecords] {
            let turns = try SteadyWorker(batch: size, commitNanoseconds: 1 << 60).run()
            #expect(turns.suffix(20).allSatisfy { $0 == 0 }, "\(turns) allocations in turns of \(size) records")
        }
    }

    /// Exactly-once: eight for each partition, of which a single record has one and more have two.
    @Test func aTurnWithATransactionAllocatesTheSameForAnyNumberOfRecords() throws {
        let turns = try [1, 100, Limits.batchRecords].map { size in
            try SteadyWorker(batch: size, commitNanoseconds: 0, isExactlyOnce: true).run().suffix(20)
        }
        #expect(
            Array(turns[1]) == Array(turns[2]) && turns.joined().allSatisfy { $0 <= 16 }, "\(turns) allocations a turn")
    }

    /// Two partitions: their positions and what is committed beside them. Saving their slots costs nothing.
    @Test func aTurnWithACommitAllocatesTheSameForAnyNumberOfRecords() throws {
        let turns = try [1, 100, Limits.batchRecords].map { size in
            try SteadyWorker(batch: size, commitNanoseconds: 0).run().suffix(20)
        }
        #expect(turns.joined().allSatisfy { $0 <= 9 }, "\(turns) allocations a turn")
    }
}

/// Observations of a few hundred streams with all that a prediction may need: new sequences, boundaries, labels,
/// missing values, times as text and as numbers, escapes.
enum SteadyRecords {
    static let streams = 300
    /// How JSON documents are written.
    enum Documents: CaseIterable {
        /// With escapes, which the walk over the tokens reads.
        case escaped
        /// Alike but for their values, which needs no walk; so by four programs in turn; each in an order of its own.
        case alike, fourOrders, anyOrder
    }

    static let columns = ["stream", "time", "a", "note", "b", "sequence", "boundary", "label"]

    static func make(
        _ count: Int, as input: InputSpecification, _ documents: Documents = .escaped, streams: Int = streams,
        partitions: Int = 1
    ) -> [Record] {
        var generator = Generator(seed: 5)
        let isCSV = input.format != .json
        return numbered(
            (0..<count).map { index in
                let stream = index % streams
                let time = 1_767_225_600_000 + Int64(index) * 1_000
                let a = generator.below(9) == 0 ? nil : "\(generator.float() * 20)"
                let sequence = generator.below(3) == 0 ? nil : "day-\(generator.below(4))"
                let boundary = [nil, nil, nil, "start", "end"][generator.below(5)]
                let label = generator.below(2)
                let when = index % 2 == 0 ? "\(time)" : Timestamp.text(time)
                let value: String
                if isCSV {
                    value = """
                        stream-\(stream),\(when),\(a ?? ""),"a ""note"", quoted",1.5,\
                        \(sequence ?? ""),\(boundary ?? ""),\(label)\r\n
                        """
                } else {
                    func text(_ text: String?) -> String { text.map { "\"\($0)\"" } ?? "null" }
                    var members = [
                        "\"stream\":\"stream-\(stream)\"", "\"time\":\(index % 2 == 0 ? when : text(when))",
                        "\"values\":{\"a\":\(a ?? "null"),\"b\":1.5}",
                        documents == .escaped ? #""note":"a \"note\" \u00e9""# : #""note":"a note""#,
                        "\"sequence\":\(text(sequence))", "\"boundary\":\(text(boundary))", "\"label\":\(label)",
                    ]
                    switch documents {
                    case .escaped, .alike: break
                    case .fourOrders: members = Array(members[(index % 4)...] + members[..<(index % 4)])
                    case .anyOrder: members.shuffle(using: &generator)
                    }
                    value = "{" + members.joined(separator: ",") + "}"
                }
                var record = Record(
                    key: input.source == .record ? Array("stream-\(stream)".utf8) : nil, value: Array(value.utf8))
                record.partition = Int32(stream % partitions)
                return record
            })
    }
}

/// A fold fed the same records again and again, its slots saved after each batch as a commit would.
private final class SteadyFold {
    let input: InputSpecification
    private(set) var predictions = 0
    private let fold: Fold
    private let state: PartitionState
    private var outputs = OutputBatch()

    init(_ model: Model, _ input: InputSpecification) throws {
        self.input = input
        let specification = FoldSpecification(
            model: model, boundaries: BoundaryPolicy(sequenceChange: true, gap: 3_600_000, every: 50))
        fold = try Fold(specification: specification, input: input)
        state = PartitionState(partition: 0, fold: fold, recentCapacity: 100)
    }

    /// Folds all records in batches of `size`.
    func fold(_ records: UnsafeBufferPointer<LogRecord>, by size: Int) throws {
        var start = 0
        while start < records.count {
            let end = min(start + size, records.count)
            let batch = UnsafeBufferPointer(rebasing: records[start..<end])
            for index in 0..<batch.count { try fold.append(batch[index], at: index, of: state) }
            fold.run()
            fold.emit(batch, topic: "observations", messageBytesMax: 1_000_000, into: &outputs)
            predictions += fold.report.predictions
            outputs.removeAll()
            fold.clear()
            while state.table.takeDirty() != nil {}
            state.table.clearDropped()
            start = end
        }
    }
}
