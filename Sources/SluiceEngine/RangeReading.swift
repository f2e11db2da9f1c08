package import SluiceCore
package import SluiceLog

/// Reads partitions from one offset to another, each to its end and not beyond, in steps. The records of a partition
/// come in their order.
struct RangeReading {
    private static let recordsMaximum = 4_096

    private let reader: any LogReader
    private var left: [TopicPartition: Range<Offset>]
    private let total: Offset

    init(_ reader: any LogReader, _ ranges: [TopicPartition: Range<Offset>]) throws {
        self.reader = reader
        left = ranges.filter { !$0.value.isEmpty }
        total = left.values.reduce(0) { $0 + Offset($1.count) }
        if !left.isEmpty { try reader.assign(left.mapValues(\.lowerBound)) }
    }

    /// Share of the offsets that is behind.
    var progress: Double {
        let ahead = left.reduce(Offset(0)) { sum, one in
            sum + max(0, one.value.upperBound - (reader.position(one.key) ?? one.value.lowerBound))
        }
        return total == 0 ? 1 : 1 - Double(ahead) / Double(total)
    }

    /// One poll; true when all ends are reached.
    ///
    /// - Parameter body: may throw to give up.
    mutating func step(timeoutMilliseconds: Int, _ body: (LogRecord) throws -> Void) throws -> Bool {
        _ = try poll(timeoutMilliseconds, body)
        return left.isEmpty
    }

    /// - Parameters:
    ///   - eachPoll: called some times a second, and body: both may throw to give up.
    /// - Throws: `broker`, to be tried again, when the ends are not reached.
    mutating func finish(eachPoll: () throws -> Void = {}, _ body: (LogRecord) throws -> Void) throws {
        var emptyPolls = 0
        while !left.isEmpty {
            try eachPoll()
            emptyPolls = try poll(100, body) == 0 ? emptyPolls + 1 : 0
            guard emptyPolls < 50 else {
                let names = left.keys.map(\.description).sorted().joined(separator: ", ")
                throw SluiceError(.broker, "\(names) cannot be read to where it ended", retry: .later)
            }
        }
    }

    /// How many records came.
    private mutating func poll(_ timeoutMilliseconds: Int, _ body: (LogRecord) throws -> Void) throws -> Int {
        guard !left.isEmpty else { return 0 }
        var count = 0
        try reader.poll(timeoutMilliseconds: timeoutMilliseconds, limit: Self.recordsMaximum) { topic, record in
            count += 1
            let partition = TopicPartition(topic: topic, partition: record.partition)
            if let range = left[partition], record.offset < range.upperBound { try body(record) }
        }
        // By position: behind the last record lies the mark of its transaction.
        left = left.filter { (reader.position($0.key) ?? 0) < $0.value.upperBound }
        return count
    }
}

extension LogReader {
    /// Reads partitions from one offset to another, as `RangeReading` does, at once.
    ///
    /// - Throws: `broker`, to be tried again, when the ends are not reached.
    package func read(
        _ ranges: [TopicPartition: Range<Offset>], eachPoll: () throws -> Void = {},
        _ body: (LogRecord) throws -> Void
    ) throws {
        var reading = try RangeReading(self, ranges)
        try reading.finish(eachPoll: eachPoll, body)
    }
}
