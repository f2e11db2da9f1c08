/// Every bound that is not configuration, in one place. A bound that is reached is reported, never silent.
package enum Limits {
    /// Bytes of a record key (a stream's name).
    package static let keyBytes = 4_096
    /// Bytes of a command's id: the latest are kept with each partition's state.
    package static let commandIDBytes = 256
    /// Bytes of a sequence id.
    package static let sequenceBytes = 1_024
    /// Bytes of an observation's value; a larger one is a reject with its body truncated.
    package static let observationBytes = 1 << 20
    /// Bytes of a CSV record within which a quote must be closed that lets it run over line ends. Ample for texts,
    /// little enough that a stray quote which the next one closes costs few rows.
    package static let quotedRecordBytes = 64 << 10
    /// Bytes of the original value kept in a reject whose value is too large to produce.
    package static let rejectBodyBytes = 4_096
    /// Records drained from the log in one go.
    package static let batchRecords = 4_096
    /// Rows stepped by one call of the kernel.
    package static let stepRows = 256
    /// Layers, units, inputs, outputs of a model.
    package static let layers = 4
    package static let hidden = 4_096
    package static let inputs = 4_096
    package static let outputs = 65_536
    /// Observations ahead that a forecast may look.
    package static let horizon = 65_536
    /// Bytes of an HTTP request body.
    package static let requestBodyBytes = 1 << 20
    /// Bytes of a snapshot that is imported: as a command it must be smaller than a message.
    package static let snapshotBytes = 512 << 10
    /// Bytes of a model file that is sent to a service.
    package static let modelBytes = 256 << 20
    /// Streams in one page of a list.
    package static let pageStreams = 1_000
    /// Latest values of each stream in a list.
    package static let listedValues = 64
    /// Access tokens, each of which every request is compared with, and bytes of their file.
    package static let accessTokens = 1_000
    package static let tokenFileBytes = 1 << 20
    /// HTTP connections at a time.
    package static let connections = 256
    /// Open streams of events among them.
    package static let eventStreams = 64
    /// Bytes that may wait for the reader of such a stream before it is given up.
    package static let eventBytesWaiting = 1 << 20
    /// Metrics, and label combinations of each.
    package static let metrics = 1_000
    package static let metricSeries = 1_000
    /// Bytes of a safetensors header, as in the format's own reader.
    package static let modelHeaderBytes = 100_000_000
}
