/// How many bytes a record takes in a batch of its own: Kafka's message format 2, "Record" and "RecordBatch" of its
/// protocol guide, uncompressed. A topic's `max.message.bytes` is held against them, so that of two records the larger
/// one is not taken where the smaller is refused.
public struct RecordSize {
    /// The header of a batch, the record's length aside: ends with its number of records.
    public static let batchHeader = 61
    /// Attributes, and the differences to the batch's time and offset, which are zero.
    private static let recordHeader = 3

    private var body: Int
    private var headers = 0
    private var headerCount = 0

    /// - Parameters: bytes; a null one takes as many as an empty one.
    public init(key: Int, value: Int) { body = Self.recordHeader + Self.field(key) + Self.field(value) }

    public mutating func addHeader(name: Int, value: Int) {
        headers += Self.field(name) + Self.field(value)
        headerCount += 1
    }

    public var bytes: Int { Self.batchHeader + Self.field(body + headers + Self.varint(headerCount)) }

    /// A length and as many bytes.
    private static func field(_ count: Int) -> Int { varint(count) + count }

    /// A number that is not negative as zigzag varint: seven bits a byte, one of them for the sign.
    private static func varint(_ number: Int) -> Int { max(1, (70 - (number << 1).leadingZeroBitCount) / 7) }
}

extension OutputBatch {
    /// What an entry takes in a batch of its own, by `RecordSize`.
    public borrowing func recordBytes(_ entry: Entry) -> Int {
        var size = RecordSize(key: entry.key?.count ?? 0, value: entry.value?.count ?? 0)
        for header in headers[entry.headers] { size.addHeader(name: header.name.utf8.count, value: header.value.count) }
        return size.bytes
    }
}
