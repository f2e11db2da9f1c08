import SluiceCore
import SluiceLog

/// JSON observations of many streams, each stream's a second apart; at least as many as there are streams. Every stream
/// comes once in a round, in an order of the round's own: one after the other they would find their slots as they lie
/// in memory, which no log does. In each stretch of a round that a batch is long a partition's records come together,
/// as a client hands them over; a batch in which two stretches meet has a partition twice.
final class SyntheticRecords {
    static let countMin = 16_384
    /// Records made between two calls of `meanwhile`.
    private static let step = 4_096
    private static let (start, opening): (EpochMilliseconds, StaticString) = (1_767_225_600_000, "{\"time\":\"")

    private var arena = ByteArena(capacity: 1 << 20)
    private var keys: [Range<Int>] = []
    private var values: [Range<Int>] = []
    /// Of each stream.
    private var names: [Range<Int>] = []
    /// Streams in the order of the rounds at hand.
    private var order: [Int]
    private let partitions, batch: Int
    private var generator: SplitMix64
    /// How often all records have been used.
    private var turn = 0

    var count: Int { keys.count }

    /// - Parameters:
    ///   - streams: whose records they are.
    ///   - partitions: in which the streams lie, in turn.
    ///   - batch: records that are folded at a time.
    ///   - meanwhile: called now and then, for a million take seconds; what it throws ends it.
    init(
        features: Int, streams: Range<Int>, partitions: Int, batch: Int, meanwhile: () throws -> Void = {}
    ) rethrows {
        (self.partitions, self.batch) = (partitions, batch)
        order = Array(0..<streams.count)
        generator = SplitMix64(state: 2 + UInt64(streams.lowerBound))
        let count = streams.count * max(1, (Self.countMin + streams.count - 1) / streams.count)
        let features = BenchModel.names(features)
        names = streams.map { append("stream-\($0)") }
        let room = String(repeating: " ", count: names.last?.count ?? 0)
        keys.reserveCapacity(count)
        values.reserveCapacity(count)
        for index in 0..<count {
            if index % Self.step == 0 { try meanwhile() }
            let text = Timestamp.text(time(index))
            let drawn = features.map { "\"\($0)\":\(generator.uniform(-2, 2))" }.joined(separator: ",")
            keys.append(append(room))
            values.append(append("\(Self.opening)\(text)\",\"values\":{\(drawn)}}"))
        }
        groupByPartition()
        for index in keys.indices { writeKey(index) }
    }

    private func groupByPartition() {
        guard partitions > 1 else { return }
        for first in stride(from: 0, to: order.count, by: batch) {
            order[first..<min(first + batch, order.count)].sort { $0 % partitions < $1 % partitions }
        }
    }

    /// Records lie in memory as they come: only what belongs to their streams is where it likes.
    private func writeKey(_ index: Int) {
        let name = names[order[index % order.count]]
        let start = keys[index].lowerBound
        (arena.base + start).copyMemory(from: arena.base + name.lowerBound, byteCount: name.count)
        keys[index] = start..<start + name.count
    }

    private func append(_ text: String) -> Range<Int> {
        let start = arena.count
        arena.append(text)
        return start..<arena.count
    }

    /// Whole seconds, which are written in equally many bytes.
    func time(_ index: Int) -> EpochMilliseconds {
        Self.start + Int64(turn * (count / order.count) + index / order.count) * 1_000
    }

    /// The next records of the same streams: later times, in another order, in the same memory.
    func advance() {
        turn += 1
        order.shuffle(using: &generator)
        groupByPartition()
        for index in values.indices {
            writeKey(index)
            let start = arena.base + values[index].lowerBound + Self.opening.utf8CodeUnitCount
            _ = Timestamp.write(time(index), to: start)
        }
    }

    func partition(_ index: Int) -> Int { order[index % order.count] % partitions }

    /// The pointers hold as long as the records do.
    func record(_ index: Int, at offset: Offset) -> LogRecord {
        LogRecord(
            partition: Int32(partition(index)), offset: offset, timestamp: .absent, key: arena.bytes(keys[index]),
            value: arena.bytes(values[index]))
    }
}
