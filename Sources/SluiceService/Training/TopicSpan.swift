package import SluiceCore
import SluiceEngine
package import SluiceLSTM
import SluiceLog

/// What of a topic is trained on: of each partition a range of offsets, so that it can be told, and read again.
package enum TopicSpan: Sendable {
    package enum Start: Sendable, Equatable {
        case beginning
        /// The first record of that time or later, by its timestamp in Kafka.
        case time(EpochMilliseconds)
        /// That offset of each partition.
        case offset(Offset)
    }

    /// From there on, up to the first record of the time `until` or later, or to where the topic ends when reading
    /// begins.
    case window(from: Start, until: EpochMilliseconds?)
    /// The very records of an earlier training.
    case records(DataManifest.Topic)

    static let timeoutMilliseconds = 10_000

    /// Whether what retention takes while it is read may be left out.
    var maySkip: Bool {
        switch self {
        case .window(.offset, _), .records: false
        case .window: true
        }
    }

    /// Records before the first that is due are passed over.
    func isDue(_ record: borrowing LogRecord) -> Bool {
        if case .window(.time(let time), _) = self { record.timestamp >= time } else { true }
    }

    /// Nothing of the partition is read from there on.
    func isOver(_ record: borrowing LogRecord) -> Bool {
        if case .window(_, let until?) = self { record.timestamp >= until } else { false }
    }

    /// What is read of a partition at most.
    ///
    /// - Throws: `input-lost` for offsets that the log no longer holds or never did, with what it begins with.
    func range(of key: TopicPartition, _ reader: any LogReader) throws -> Range<Offset> {
        let (low, high) = try reader.watermarks(key, timeoutMilliseconds: Self.timeoutMilliseconds)
        switch self {
        case .window(.beginning, _): return low..<max(low, high)
        case .window(.time(let time), _):
            // Where the broker cannot tell, all is looked at. Times below zero mean something else to it.
            let start =
                time > 0 ? try reader.offset(key, at: time, timeoutMilliseconds: Self.timeoutMilliseconds) ?? low : low
            return start..<max(start, high)
        case .window(.offset(let start), _):
            guard low <= start else { throw key.lost(start..<low, low: low) }
            return start..<max(start, high)
        case .records(let topic):
            guard let known = topic.partitions.first(where: { $0.partition == key.partition }) else {
                return low..<low
            }
            try key.checkHolds(known.from..<known.to, low: low, high: high)
            return known.from..<known.to
        }
    }
}

extension TopicPartition {
    /// - Parameter remedy: where records are gone.
    /// - Throws: `input-lost` where these are not all there.
    func checkHolds(_ offsets: Range<Offset>, low: Offset, high: Offset, remedy: String? = nil) throws {
        guard low <= offsets.lowerBound else {
            throw lost(offsets.lowerBound..<min(low, offsets.upperBound), low: low, remedy: remedy)
        }
        guard offsets.upperBound <= high else {
            throw SluiceError(
                .lostInput,
                "\(self) ends at offset \(high), and a training read it up to \(offsets.upperBound - 1): it is not the "
                    + "topic that it was", remedy: "train on what it holds now, with --from and --until")
        }
    }

    /// - Parameter remedy: that of an input by default.
    func lost(_ gone: Range<Offset>, low: Offset, remedy: String? = nil) -> SluiceError {
        SluiceError(
            .lostInput,
            "\(self) begins at offset \(low): retention has taken offsets \(gone.lowerBound) to \(gone.upperBound - 1)",
            remedy: remedy
                ?? "train on what is left, with --from \(low) or a time; keep inputs for as long as trainings are to "
                + "be repeated (retention.ms)")
    }
}
