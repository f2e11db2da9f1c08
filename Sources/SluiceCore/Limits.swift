/// Every bound that is not configuration, in one place. A bound that is reached is reported, never silent.
public enum Limits {
    /// Bytes of a record key (a stream's name).
    public static let keyBytes = 4_096
    /// Bytes of a command's id: the latest are kept with each partition's state.
    public static let commandIDBytes = 256
    /// Bytes of a sequence id.
    public static let sequenceBytes = 1_024
    /// Bytes of an observation's value; a larger one is a reject with its body truncated.
    public static let observationBytes = 1 << 20
    /// Bytes of a CSV record within which a quote must be closed that lets it run over line ends. Ample for texts,
    /// little enough that a stray quote which the next one closes costs few rows.
    public static let quotedRecordBytes = 64 << 10
    /// Bytes of the original value kept in a reject whose value is too large to produce.
    public static let rejectBodyBytes = 4_096
    /// Records drained from the log in one go.
    public static let batchRecords = 4_096
    /// Rows stepped by one call of the kernel.
    public static let stepRows = 256
    /// Layers, units, inputs, outputs of a model.
    public static let layers = 4
    public static let hidden = 4_096
    public static let inputs = 4_096
    public static let outputs = 65_536
    /// Observations ahead that a forecast may look.
    public static let horizon = 65_536
    /// Bytes of an HTTP request body.
    public static let requestBodyBytes = 1 << 20
    /// Bytes of a snapshot that is imported: as a command it must be smaller than a message.
    public static let snapshotBytes = 512 << 10
    /// Bytes of a model file that is sent to a service.
    public static let modelBytes = 256 << 20
    /// Streams in one page of a list.
    public static let pageStreams = 1_000
    /// Latest values of each stream in a list.
    public static let listedValues = 64
    /// Access tokens, each of which every request is compared with, and bytes of their file.
    public static let accessTokens = 1_000
    public static let tokenFileBytes = 1 << 20
    /// HTTP connections at a time.
    public static let connections = 256
    /// Open streams of events among them.
    public static let eventStreams = 64
    /// Bytes that may wait for the reader of such a stream before it is given up.
    public static let eventBytesWaiting = 1 << 20
    /// Metrics, and label combinations of each.
    public static let metrics = 1_000
    public static let metricSeries = 1_000
    /// Bytes of a safetensors header, as in the format's own reader.
    public static let modelHeaderBytes = 100_000_000
}
