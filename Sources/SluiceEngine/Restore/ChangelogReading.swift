import SluiceCore
import SluiceLog
import SluiceSchema
import SluiceState

/// Reads a partition of the changelog into the store, to where it ended when it was asked.
///
/// The end is the high watermark, transactions under way included: their snapshots count if they are committed, and the
/// last stable offset would miss those whose mark is late (KAFKA-10167). It is reached by position, never by a record:
/// behind the last one lie marks and aborted records.
final class ChangelogReading {
    private static let recordsMaximum = 4_096
    static let pollMilliseconds = 20
    /// Bytes put into the store before they are written.
    private static let bytesMaximum = 8 << 20

    let low: Offset
    let high: Offset
    /// The last head read.
    private(set) var head: ChangelogHead?
    private let partition: TopicPartition
    private let reader: any LogReader
    private let clock: any EngineClock
    private let heads: HeadDecoder
    private var store: (any PartitionStore)?
    private var from: Offset = 0
    /// Where the write before the next one ended.
    private var written: Offset = 0
    private var bytes = 0

    init(_ worker: Worker, _ partition: Int32) throws {
        self.partition = TopicPartition(topic: worker.settings.slotsTopic, partition: partition)
        reader = try worker.resources.makeReader()
        clock = worker.resources.clock
        heads = try HeadDecoder()
        do {
            low = try reader.watermarks(self.partition, timeoutMilliseconds: Restoration.timeoutMilliseconds).low
            high = try reader.highWatermark(self.partition, timeoutMilliseconds: Restoration.timeoutMilliseconds)
        } catch {
            reader.close()
            throw error
        }
    }

    /// - Parameter head: of what the store holds already.
    func start(at offset: Offset, into store: any PartitionStore, head: ChangelogHead?) throws {
        self.store = store
        self.head = head
        (from, written) = (offset, offset)
        if offset < high { try reader.assign([partition: offset]) }
    }

    private var position: Offset { from < high ? reader.position(partition) ?? from : from }

    var progress: Double { high <= from ? 1 : min(1, Double(position - from) / Double(high - from)) }

    /// Reads on; true when the end is reached and all of it is written.
    func step() throws -> Bool {
        guard let store else { return true }
        if position < high {
            try reader.poll(timeoutMilliseconds: Self.pollMilliseconds, limit: Self.recordsMaximum) { _, record in
                try take(record, store)
            }
        }
        let isDone = position >= high
        if bytes > Self.bytesMaximum || isDone { try write(store) }
        return isDone
    }

    private func take(_ record: LogRecord, _ store: any PartitionStore) throws {
        if record.key.elementsEqual(ChangelogKey.head) {
            head = try heads.head(record.value)
        } else if record.value.baseAddress == nil {
            store.remove(key: record.key)
        } else {
            store.put(key: record.key, value: record.value)
        }
        bytes += record.key.count + record.value.count
    }

    /// A compacted changelog has its one head at its end: what is written before it is seen belongs to nothing yet.
    private func write(_ store: any PartitionStore) throws {
        try store.write(
            StoredPosition(
                identity: head?.identity ?? "", offset: head?.offset ?? 0, replayFrom: head?.replayFrom ?? 0,
                controlOffset: head?.control ?? 0, changelogOffset: written, modelHash: head?.model ?? "",
                latest: head?.latest ?? .absent, storedAt: clock.wallMilliseconds(), partitions: head?.partitions))
        written = position
        bytes = 0
    }

    func close() { reader.close() }
}
