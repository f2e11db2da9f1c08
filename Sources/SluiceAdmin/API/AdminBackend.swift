/// What the HTTP API needs of the service behind it. Every answer is a consistent snapshot; an error is thrown as a
/// `SluiceError`, whose code, message and remedy reach the caller as a problem document.
package protocol AdminBackend: Sendable {
    /// Streams whose key begins with `prefix` and comes after `after` in byte order, at most `limit` of them, each with
    /// up to `values` of its latest values.
    func streams(prefix: String, limit: Int, after: String?, values: Int) async throws -> StreamPage

    /// One stream's slot, with h and c if `fullState`; nil if the stream is unknown.
    func stream(_ key: String, fullState: Bool) async throws -> StreamSlot?

    /// Asks for one stream's reset and waits for it for at most ten seconds. `caller` goes into the audit record.
    func reset(stream key: String, by caller: String) async throws -> ResetOutcome

    /// Asks for the reset of many streams; with `dryRun` only counts them.
    func reset(_ selection: StreamSelection, dryRun: Bool, by caller: String) async throws -> ManyReset

    /// The registry's models.
    func models() async throws -> ModelList

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

/// What became of one stream's reset.
package enum ResetOutcome: Hashable, Sendable {
    case applied(AppliedReset)
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
