package import SluiceCore

/// `GET /v1/models`: the registry, the latest registered last.
package struct ModelList: Hashable, Sendable, Decodable {
    package var models: [ModelSummary]

    package init(models: [ModelSummary]) { self.models = models }
}

/// One model of the registry.
package struct ModelSummary: Hashable, Sendable, Decodable {
    package var version: String
    /// SHA-256 of its file.
    package var sha256: String
    package var bytes: Int
    package var registered: Timestamp
    package var active: Bool
    /// Since when it is the active one, and who made it that.
    package var since: Timestamp?
    package var by: String?
    /// Partitions of this instance that fold by it now.
    package var partitions: [Int32]
    /// Where on this instance's machine the report of its training lies; nil for none.
    package var report: String?

    package init(
        version: String, sha256: String, bytes: Int, registered: Timestamp, active: Bool, since: Timestamp? = nil,
        by: String? = nil, partitions: [Int32] = [], report: String? = nil
    ) {
        self.version = version
        self.sha256 = sha256
        self.bytes = bytes
        self.registered = registered
        self.active = active
        self.since = since
        self.by = by
        self.partitions = partitions
        self.report = report
    }
}

/// What became of a promotion or a rollback.
package struct Promotion: Hashable, Sendable, Decodable {
    /// The active model now.
    package var version: String
    /// The one before it.
    package var previous: String?
    /// Whether every live partition of this instance folds by it; otherwise those that do not will soon.
    package var settled: Bool

    package init(version: String, previous: String?, settled: Bool) {
        self.version = version
        self.previous = previous
        self.settled = settled
    }
}

extension ModelList: JSONWritable {
    package func write(to json: inout JSONWriter) { json.object { $0.member("models", models) } }
}

extension ModelSummary: JSONWritable {
    package func write(to json: inout JSONWriter) { json.object { members(&$0) } }

    package func members(_ json: inout JSONWriter) {
        json.member("version", version)
        json.member("sha256", sha256)
        json.member("bytes", bytes)
        json.member("registered", registered)
        json.member("active", active)
        json.member("since", since)
        json.member("by", by)
        json.member("partitions", partitions)
        json.member("report", report)
    }
}

extension Promotion: JSONWritable {
    package func write(to json: inout JSONWriter) {
        json.object {
            $0.member("version", version)
            $0.member("previous", previous)
            $0.member("settled", settled)
        }
    }
}
