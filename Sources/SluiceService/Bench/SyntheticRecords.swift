import SluiceCore
import SluiceLog

/// JSON observations of many streams, one after the other, each stream's a second apart; at least as many as there are
/// streams.
final class SyntheticRecords {
    private static let countMin = 16_384
    private static let (start, opening): (EpochMilliseconds, StaticString) = (1_767_225_600_000, "{\"time\":\"")

    private var arena = ByteArena(capacity: 1 << 20)
    private var keys: [Range<Int>] = []
    private var values: [Range<Int>] = []
    private let streams: Int
    private let partitions: Int
    /// How often all records have been used.
    private var turn = 0

    var count: Int { keys.count }

    /// - Parameters:
    ///   - streams: whose records they are.
    ///   - partitions: in which the streams lie, in turn.
    init(features: Int, streams: Range<Int>, partitions: Int) {
        (self.streams, self.partitions) = (streams.count, partitions)
        let count = streams.count * max(1, (Self.countMin + streams.count - 1) / streams.count)
        let names = BenchModel.names(features)
        var generator = SplitMix64(state: 2 + UInt64(streams.lowerBound))
        keys.reserveCapacity(count)
        values.reserveCapacity(count)
        for index in 0..<count {
            let text = Timestamp.text(time(index))
            let features = names.map { "\"\($0)\":\(generator.uniform(-2, 2))" }.joined(separator: ",")
            keys.append(append("stream-\(streams.lowerBound + index % streams.count)"))
            values.append(append("\(Self.opening)\(text)\",\"values\":{\(features)}}"))
        }
    }

    private func append(_ text: String) -> Range<Int> {
        let start = arena.count
        arena.append(text)
        return start..<arena.count
    }

    /// Whole seconds, which are written in equally many bytes.
    func time(_ index: Int) -> EpochMilliseconds {
        Self.start + Int64(turn * (count / streams) + index / streams) * 1_000
    }

    /// The next records of the same streams: later times, in the same memory.
    func advance() {
        turn += 1
        for index in values.indices {
            let start = arena.base + values[index].lowerBound + Self.opening.utf8CodeUnitCount
            _ = Timestamp.write(time(index), to: start)
        }
    }

    func partition(_ index: Int) -> Int { index % streams % partitions }

    /// The pointers hold as long as the records do.
    func record(_ index: Int, at offset: Offset) -> LogRecord {
        LogRecord(
            partition: Int32(partition(index)), offset: offset, timestamp: .absent, key: arena.bytes(keys[index]),
            value: arena.bytes(values[index]))
    }
}
