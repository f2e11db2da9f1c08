package import SluiceCore

/// `GET /v1/partitions`.
package struct PartitionList: Hashable, Sendable, Decodable {
    package var partitions: [PartitionStatus]

    package init(partitions: [PartitionStatus]) { self.partitions = partitions }
}

/// One partition of the input: who owns it and how far it is. What is not known yet is nil.
package struct PartitionStatus: Hashable, Sendable, Decodable {
    package enum State: String, Sendable, Decodable {
        case live
        case restoring
    }

    package var partition: Int32
    /// The instance and worker, or nil while nobody owns it.
    package var owner: String?
    /// Next offset to be folded.
    package var offset: Offset?
    /// End of the partition.
    package var end: Offset?
    /// Records between the two.
    package var lag: Int64?
    package var state: State
    /// Share of the restore done, from 0 to 1; 1 when live.
    package var progress: Float
    /// Milliseconds since the last saved checkpoint.
    package var checkpointAge: Int64?

    private enum CodingKeys: String, CodingKey {
        case partition, owner, offset, end, lag, state, progress
        case checkpointAge = "checkpoint_age_ms"
    }

    package init(
        partition: Int32, owner: String?, offset: Offset?, end: Offset?, state: State = .live, progress: Float = 1,
        checkpointAge: Int64? = nil
    ) {
        self.partition = partition
        self.owner = owner
        self.offset = offset
        self.end = end
        lag = if let offset, let end { max(0, end - offset) } else { nil }
        self.state = state
        self.progress = progress
        self.checkpointAge = checkpointAge
    }
}

extension PartitionList: JSONWritable {
    package func write(to json: inout JSONWriter) { json.object { $0.member("partitions", partitions) } }
}

extension PartitionStatus: JSONWritable {
    package func write(to json: inout JSONWriter) {
        json.object {
            $0.member("partition", partition)
            $0.member("owner", owner)
            $0.member("offset", offset)
            $0.member("end", end)
            $0.member("lag", lag)
            $0.member("state", state.rawValue)
            $0.member("progress", progress)
            $0.member("checkpoint_age_ms", checkpointAge)
        }
    }
}
