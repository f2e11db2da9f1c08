import SluiceCore
import SluiceLSTM
import SluiceLog
import SluiceSchema
import SluiceState
import SluiceTestKit

@testable import SluiceEngine

/// A record of the simulated log; nil is null.
struct Record: Equatable {
    var partition: Int32 = 0
    var offset: Offset = 0
    var timestamp: EpochMilliseconds = .absent
    var key: [UInt8]?
    var value: [UInt8]?
    var boundary: [UInt8]?

    init(key: [UInt8]?, value: [UInt8]?, boundary: String? = nil, partition: Int32 = 0, offset: Offset = 0) {
        self.key = key
        self.value = value
        self.boundary = boundary.map { Array($0.utf8) }
        self.partition = partition
        self.offset = offset
    }

    /// An observation of the features a and b; `more` is further members of the JSON object.
    init(_ stream: String, _ time: Int64, _ a: Float?, _ b: Float? = 1, more: String = "", boundary: String? = nil) {
        func text(_ value: Float?) -> String { value.map { "\($0)" } ?? "null" }
        let json = "{\"time\":\(time),\"values\":{\"a\":\(text(a)),\"b\":\(text(b))}\(more)}"
        self.init(key: Array(stream.utf8), value: Array(json.utf8), boundary: boundary)
    }

    static func end(_ stream: String) -> Record { Record(key: Array(stream.utf8), value: nil) }
}

/// Lends records as the log client would.
func withLogRecords<Result>(
    _ records: some Collection<Record>, _ body: (UnsafeBufferPointer<LogRecord>) throws -> Result
) rethrows -> Result {
    var bytes: [UInt8] = [0]
    var ranges: [Range<Int>?] = []
    for record in records {
        for part in [record.key, record.value, record.boundary] {
            ranges.append(part.map { bytes.count..<bytes.count + $0.count })
            bytes += part ?? []
        }
    }
    return try bytes.withUnsafeBytes { bytes in
        func lend(_ range: Range<Int>?) -> UnsafeRawBufferPointer {
            range.map { UnsafeRawBufferPointer(rebasing: bytes[$0]) } ?? UnsafeRawBufferPointer(start: nil, count: 0)
        }
        let lent = records.enumerated().map { index, record in
            LogRecord(
                partition: record.partition, offset: record.offset, timestamp: record.timestamp,
                key: lend(ranges[3 * index]), value: lend(ranges[3 * index + 1]), boundary: lend(ranges[3 * index + 2]))
        }
        return try lent.withUnsafeBufferPointer(body)
    }
}

/// A message that was produced.
struct Output: Equatable, Hashable {
    var topic: OutputTopic
    var partition: Int32
    var key: [UInt8]?
    var value: [UInt8]?
    var headers: [String: [UInt8]] = [:]

    init(_ entry: OutputBatch.Entry, _ batch: borrowing OutputBatch) {
        topic = entry.topic
        partition = entry.partition
        key = entry.key.map { Array(batch.arena.bytes($0)) }
        value = entry.value.map { Array(batch.arena.bytes($0)) }
        for header in batch.headers[entry.headers] { headers[header.name] = Array(batch.arena.bytes(header.value)) }
    }

    var text: String { String(decoding: value ?? [], as: UTF8.self) }
    func header(_ name: String) -> String? { headers[name].map { String(decoding: $0, as: UTF8.self) } }
    /// The number or word behind a member's name.
    func member(_ name: String) -> String? {
        guard let start = text.range(of: "\"\(name)\":")?.upperBound else { return nil }
        return String(text[start...].prefix { $0 != "," && $0 != "}" && $0 != "]" })
    }
    var step: Int? { member("step").flatMap { Int($0) } }
    var offset: Int? { member("offset").flatMap { Int($0) } }
}

extension String {
    /// Where `part` stands first.
    func range(of part: String) -> Range<Index>? {
        guard !part.isEmpty else { return nil }
        var start = startIndex
        while start < endIndex {
            if self[start...].hasPrefix(part) { return start..<index(start, offsetBy: part.count) }
            start = index(after: start)
        }
        return nil
    }
}

/// A small model over the features a and b with drawn weights.
func makeModel(
    _ head: HeadKind = .point, hidden: Int = 5, layers: Int = 1, scaling: ScalingKind = .perStream, seed: UInt64 = 7,
    classes: Int? = nil, weight: Float = 1, drawn: InitialStateKind? = nil
) -> Model {
    let manifest = ModelManifest(
        name: "test", version: "v\(seed)", inputs: ["a", "b"], targets: head.classifies ? [] : ["a"], horizons: [1, 3],
        head: head, quantiles: head == .quantile ? [0.1, 0.5, 0.9] : [], initialState: drawn ?? .zero,
        initialStateNoise: drawn == nil ? nil : true, scaling: scaling, classes: classes,
        seed: drawn == nil ? nil : seed)
    var parameters = LSTMParameters(
        shape: LSTMShape(inputs: 2, hidden: hidden, layers: layers, outputs: manifest.outputs))
    var generator = Generator(seed: seed)
    for index in parameters.values.indices { parameters.values[index] = generator.float() * weight }
    let digits = Array("0123456789abcdef")
    return Model(
        manifest: manifest, parameters: parameters,
        hash: String((0..<64).map { _ in digits[generator.below(16)] }))
}

let pumps = InputSpecification(features: [.init("a"), .init("b")])

/// A fold with its partitions, fed by hand.
final class FoldRig {
    let fold: Fold
    private(set) var states: [Int32: PartitionState] = [:]
    private var batch = OutputBatch()
    private(set) var report = BatchReport()
    var messageBytesMax = 1_000_000
    var sizes: OutputLimits.Sizes

    init(
        _ specification: FoldSpecification, input: InputSpecification = pumps,
        sizes: OutputLimits.Sizes = OutputLimits.Sizes()
    ) throws {
        self.sizes = sizes
        fold = try Fold(specification: specification, input: input)
    }

    func state(_ partition: Int32 = 0) -> PartitionState {
        if let state = states[partition] { return state }
        let state = PartitionState(partition: partition, fold: fold, recentCapacity: 100)
        states[partition] = state
        return state
    }

    /// Folds the records in batches of these sizes, again and again.
    @discardableResult
    func run(_ records: [Record], batches: [Int] = [64]) throws -> [Output] {
        var outputs: [Output] = []
        var start = 0
        var turn = 0
        while start < records.count {
            let end = min(records.count, start + batches[turn % batches.count])
            try withLogRecords(records[start..<end]) { lent in
                for index in lent.indices { try fold.append(lent[index], at: index, of: state(lent[index].partition)) }
                fold.run()
                fold.emit(
                    lent, topic: "observations", messageBytesMax: messageBytesMax, sizes: sizes, into: &batch)
            }
            for entry in batch.entries { outputs.append(Output(entry, batch)) }
            report = fold.report
            batch.removeAll()
            fold.clear()
            (start, turn) = (end, turn + 1)
        }
        return outputs
    }

    /// A stream's slot to the bit; nil without one.
    func snapshot(_ stream: String, _ partition: Int32 = 0) throws -> [UInt8]? {
        guard let slot = try state(partition).find(stream) else { return nil }
        var arena = ByteArena()
        try SlotSnapshot(layout: fold.layout, modelHash: fold.specification.model.hash)
            .write(
                slot, of: state(partition).table, position: 1 << 40, control: 0, to: &arena)
        return Array(arena.bytes)
    }
}

/// Numbers the records of each partition from 0.
func numbered(_ records: [Record]) -> [Record] {
    var next: [Int32: Offset] = [:]
    return records.map { record in
        var record = record
        record.offset = next[record.partition, default: 0]
        next[record.partition] = record.offset + 1
        return record
    }
}

/// Observations of several streams with everything in them: boundaries, gaps, missing values, rejects, ends.
func mixture(_ count: Int, streams: Int = 9, partitions: Int = 1, seed: UInt64 = 1) -> [Record] {
    var generator = Generator(seed: seed)
    var time: Int64 = 1_700_000_000_000
    return numbered(
        (0..<count).map { _ in
            let stream = generator.below(streams)
            time += generator.below(40) == 0 ? 10_000_000 : Int64(generator.below(60_000))
            let a: Float? = generator.below(9) == 0 ? nil : generator.float() * 20
            var record = Record("stream-\(stream)", time, a, generator.float())
            switch generator.below(30) {
            case 0: record = .end("stream-\(stream)")
            case 1: record.value = Array("not JSON".utf8)
            case 2: record = Record("stream-\(stream)", time, a, 1, more: ",\"sequence\":\"\(generator.below(3))\"")
            case 3: record.boundary = Array((generator.below(2) == 0 ? "start" : "end").utf8)
            case 4: record = Record("stream-\(stream)", time, a, 1, more: ",\"boundary\":\"end\",\"label\":1")
            case 5: record.key = nil
            case 6: record = Record("stream-\(stream)", time - 3_600_000, a, 1)
            default: break
            }
            record.partition = Int32(stream % partitions)
            return record
        })
}

extension PartitionState {
    /// A command that is no swap.
    func obey(_ event: Event) throws -> Int? {
        try obey(event) { throw SluiceError(.unknownModel, "there is no model \($0)") }
    }

    /// A reset that is not of the log.
    func reset(_ target: Target, at offset: Offset) throws -> Int? {
        try reset(
            Event(id: "test", type: .reset, target: target, partition: partition, offset: offset, by: "", time: 0))
    }
}
