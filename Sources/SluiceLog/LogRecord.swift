public import SluiceCore

/// One record as it lies in the log client's memory, not copied. Valid only inside the closure it was handed to.
public struct LogRecord {
    public var partition: Int32
    public var offset: Offset
    /// `.absent` where the record carries none (Kafka's −1).
    public var timestamp: EpochMilliseconds
    /// A nil base address is a null key.
    public var key: UnsafeRawBufferPointer
    /// A nil base address is a null value (a tombstone); an empty value has an address.
    public var value: UnsafeRawBufferPointer
    /// The value of the header `sluice-boundary`, nil base address without one.
    public var boundary: UnsafeRawBufferPointer

    public init(
        partition: Int32, offset: Offset, timestamp: EpochMilliseconds, key: UnsafeRawBufferPointer,
        value: UnsafeRawBufferPointer, boundary: UnsafeRawBufferPointer = UnsafeRawBufferPointer(start: nil, count: 0)
    ) {
        self.partition = partition
        self.offset = offset
        self.timestamp = timestamp
        self.key = key
        self.value = value
        self.boundary = boundary
    }
}

/// The header that declares a boundary; it wins over the field.
public let boundaryHeader = "sluice-boundary"
