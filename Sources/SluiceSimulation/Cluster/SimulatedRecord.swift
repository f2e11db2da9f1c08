package import SluiceCore
package import SluiceLog

/// Who produced a batch: an idempotent producer's id, epoch and place in its sequence (KIP-98).
package struct ProducerStamp: Sendable, Equatable {
    package var producer: Int64
    package var epoch: Int16
    /// Of the batch's first record, per partition from 0 in each epoch.
    package var sequence: Int32
    package var isTransactional: Bool

    package init(producer: Int64, epoch: Int16, sequence: Int32, isTransactional: Bool) {
        self.producer = producer
        self.epoch = epoch
        self.sequence = sequence
        self.isTransactional = isTransactional
    }
}

/// A record of the simulated log; nil is null.
package struct SimulatedRecord: Sendable, Equatable {
    /// What has become of the transaction it belongs to.
    package enum Fate: Sendable { case plain, undecided, committed, aborted }

    package struct Header: Sendable, Equatable {
        package var name: String
        package var value: [UInt8]
        package init(name: String, value: [UInt8]) {
            self.name = name
            self.value = value
        }
    }

    package var offset: Offset = 0
    package var timestamp: EpochMilliseconds
    package var key: [UInt8]?
    package var value: [UInt8]?
    package var headers: [Header]
    package var stamp: ProducerStamp?
    package var fate = Fate.plain
    /// A mark that ends a transaction; readers never see it.
    package var isMark = false
    /// Compaction took it.
    package var isGone = false
    /// After this time compaction takes a tombstone or a mark; set by the first run that meets it (KAFKA-8522).
    package var deleteHorizon: Int64?

    package init(
        key: [UInt8]?, value: [UInt8]?, headers: [Header] = [], timestamp: EpochMilliseconds = .absent
    ) {
        self.key = key
        self.value = value
        self.headers = headers
        self.timestamp = timestamp
    }

    /// Whether a reader with `read_committed` is ever given it.
    package var isCommitted: Bool { !isMark && (fate == .plain || fate == .committed) }

    package func header(_ name: String) -> [UInt8]? { headers.first { $0.name == name }?.value }

    /// What a broker limits.
    var size: RecordSize {
        var size = RecordSize(key: key?.count ?? 0, value: value?.count ?? 0)
        for header in headers { size.addHeader(name: header.name.utf8.count, value: header.value.count) }
        return size
    }
}

/// A record with the partition it was read from.
package struct FetchedRecord: Sendable {
    package var topic: String
    package var partition: Int32
    package var record: SimulatedRecord
}

/// Lends records as the log client would.
package func withLogRecords<Result>(
    _ fetched: [FetchedRecord], _ body: (UnsafeBufferPointer<LogRecord>) throws -> Result
) rethrows -> Result {
    var bytes: [UInt8] = [0]
    var ranges: [Range<Int>?] = []
    for one in fetched {
        for part in [one.record.key, one.record.value, one.record.header(boundaryHeader)] {
            ranges.append(part.map { bytes.count..<bytes.count + $0.count })
            bytes += part ?? []
        }
    }
    return try bytes.withUnsafeBytes { bytes in
        func lend(_ range: Range<Int>?) -> UnsafeRawBufferPointer {
            range.map { UnsafeRawBufferPointer(rebasing: bytes[$0]) } ?? UnsafeRawBufferPointer(start: nil, count: 0)
        }
        let lent = fetched.enumerated().map { index, one in
            LogRecord(
                partition: one.partition, offset: one.record.offset, timestamp: one.record.timestamp,
                key: lend(ranges[3 * index]), value: lend(ranges[3 * index + 1]), boundary: lend(ranges[3 * index + 2]))
        }
        return try lent.withUnsafeBufferPointer(body)
    }
}
