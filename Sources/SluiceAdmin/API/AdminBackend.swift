package import SluiceCore

/// What the HTTP API needs of the service behind it. Every answer is a consistent snapshot; an error is thrown as a
/// `SluiceError`, whose code, message and remedy reach the caller as a problem document.
package protocol AdminBackend: Sendable {
    /// Streams whose key begins with `prefix` and comes after `after` in byte order, at most `limit` of them, each with
    /// up to `values` of its latest values.
    func streams(prefix: String, limit: Int, after: String?, values: Int) async throws -> StreamPage

    /// One stream's slot, with h and c if `fullState`; nil if the stream is unknown.
    func stream(_ key: String, fullState: Bool) async throws -> StreamSlot?

    /// Asks for one stream's reset and waits for it for at most ten seconds. `caller` goes into the audit record.
    func reset(stream key: String, by caller: String) async throws -> CommandOutcome

    /// Asks for the reset of many streams; with `dryRun` only counts them.
    func reset(_ selection: StreamSelection, dryRun: Bool, by caller: String) async throws -> ManyReset

    /// One stream's state as a snapshot (`schemas/snapshot.md`), now or as it was before the input at `offset`; nil if
    /// the stream had none.
    ///
    /// - Parameter partition: where to look for a stream that has ended.
    /// - Throws: `Problem` where the earlier state cannot be rebuilt.
    func export(stream key: String, before offset: Offset?, partition: Int32?) async throws -> [UInt8]?

    /// Asks for a stream to go on from a snapshot and waits for it for at most ten seconds.
    ///
    /// - Parameter partition: where a stream goes that is not known yet.
    /// - Throws: `Problem` for a snapshot that does not fit.
    func `import`(
        _ snapshot: [UInt8], stream key: String, partition: Int32?, by caller: String
    ) async throws -> CommandOutcome

    /// The registry's models.
    func models() async throws -> ModelList

    /// The bytes of a model's file.
    ///
    /// - Throws: `model-unknown`.
    func export(model version: String) async throws -> [UInt8]

    /// Takes a model file into the registry, where it waits to be promoted; the same file again is the same model.
    ///
    /// - Throws: `model-invalid`, `configuration-invalid` for one that cannot serve here.
    func `import`(model file: [UInt8], by caller: String) async throws -> ModelSummary

    /// Makes a registered model the active one and waits for the swaps for at most ten seconds. `caller` goes into the
    /// audit record.
    ///
    /// - Throws: `model-unknown`.
    func promote(_ version: String, by caller: String) async throws -> Promotion

    /// Makes the model before the active one active again.
    ///
    /// - Throws: `model-unknown` when there is none.
    func rollBack(by caller: String) async throws -> Promotion

    func partitions() async throws -> [PartitionStatus]

    /// Through which streams are answered that are not here.
    var others: (any OtherInstances)? { get }

    /// Whether work can be done now; the reasons say why not.
    func readiness() async -> ServiceCondition

    /// Whether the process should be left alone; the reasons say why it should be restarted.
    func health() async -> ServiceCondition

    /// What the service does as a whole, now.
    func overview() async -> ServiceOverview

    /// What was done to it.
    var audit: AuditFeed { get }
}

/// Several streams at once.
package enum StreamSelection: Hashable, Sendable {
    case all
    /// Never empty: that would be `all`, by accident.
    case prefix(String)
}

/// What became of a command to one stream.
package enum CommandOutcome: Hashable, Sendable {
    case applied(AppliedCommand)
    /// Recorded, but not applied within ten seconds.
    case pending(id: String)
    case unknown
}

/// A yes, or a no with its reasons.
package struct ServiceCondition: Hashable, Sendable {
    package let reasons: [String]
    package var holds: Bool { reasons.isEmpty }

    package init(reasons: [String] = []) { self.reasons = reasons }
}
