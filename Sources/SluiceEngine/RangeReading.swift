import SluiceCore
import SluiceLog

extension LogReader {
    /// Reads partitions from one offset to another, each to its end and not beyond. The records of a partition come in
    /// their order.
    ///
    /// - Parameter body: may throw to give up.
    /// - Throws: `broker`, to be tried again, when the ends are not reached.
    func read(_ ranges: [TopicPartition: Range<Offset>], _ body: (LogRecord) throws -> Void) throws {
        var left = ranges.filter { !$0.value.isEmpty }
        guard !left.isEmpty else { return }
        try assign(left.mapValues(\.lowerBound))
        var emptyPolls = 0
        while !left.isEmpty {
            var count = 0
            try poll(timeoutMilliseconds: 100, limit: 4_096) { topic, record in
                count += 1
                let partition = TopicPartition(topic: topic, partition: record.partition)
                if let range = left[partition], record.offset < range.upperBound { try body(record) }
            }
            // By position: behind the last record lies the mark of its transaction.
            left = left.filter { (position($0.key) ?? 0) < $0.value.upperBound }
            emptyPolls = count == 0 ? emptyPolls + 1 : 0
            guard emptyPolls < 50 else {
                let names = left.keys.map(\.description).sorted().joined(separator: ", ")
                throw SluiceError(.broker, "\(names) cannot be read to where it ended", retry: .later)
            }
        }
    }
}
