/// What a model was trained on: the JSON under the metadata key `sluice.data` of a model file; names as in the file.
///
/// Nothing in it says when or where the training ran, so that the same training on the same data gives the same bytes.
/// Times are RFC 3339 in UTC, those of the observations.
package struct DataManifest: Codable, Sendable, Equatable {
    package struct File: Codable, Sendable, Equatable {
        /// Without its folder.
        package var name: String
        package var bytes: Int
        package var sha256: String
        package var observations: Int
        package var rejects: Int
        /// Of the earliest and of the latest observation; absent without any.
        package var first: String?
        package var last: String?

        package init(
            name: String, bytes: Int, sha256: String, observations: Int, rejects: Int, first: String?, last: String?
        ) {
            self.name = name
            self.bytes = bytes
            self.sha256 = sha256
            self.observations = observations
            self.rejects = rejects
            self.first = first
            self.last = last
        }
    }

    package struct Partition: Codable, Sendable, Equatable {
        package var partition: Int32
        /// The offset of the first record read, and that behind the last.
        package var from: Int64
        package var to: Int64
        package var observations: Int
        package var rejects: Int
        /// Of the earliest and of the latest observation; absent without any.
        package var first: String?
        package var last: String?

        package init(
            partition: Int32, from: Int64, to: Int64, observations: Int, rejects: Int, first: String?, last: String?
        ) {
            self.partition = partition
            self.from = from
            self.to = to
            self.observations = observations
            self.rejects = rejects
            self.first = first
            self.last = last
        }
    }

    /// Recorded commands that set streams back while the topic was served: boundaries of its data.
    package struct Commands: Codable, Sendable, Equatable {
        package struct Records: Codable, Sendable, Equatable {
            package var partition: Int32
            /// The offset of the first record that was repeated, and that behind the last.
            package var from: Int64
            package var to: Int64

            package init(partition: Int32, from: Int64, to: Int64) {
                self.partition = partition
                self.from = from
                self.to = to
            }
        }

        /// That records them.
        package var topic: String
        /// Whether there was such a topic.
        package var exists: Bool
        /// Commands that were repeated.
        package var applied: Int
        /// Of that topic: those that hold them.
        package var partitions: [Records]

        package init(topic: String, exists: Bool, applied: Int = 0, partitions: [Records] = []) {
            self.topic = topic
            self.exists = exists
            self.applied = applied
            self.partitions = partitions
        }
    }

    package struct Topic: Codable, Sendable, Equatable {
        package var name: String
        /// The cluster's id; absent where it is not known.
        package var cluster: String?
        /// Milliseconds that were looked back; absent where the bounds were others.
        package var window: Int64?
        /// Those that gave records.
        package var partitions: [Partition]
        /// Absent where none were looked for.
        package var commands: Commands?

        package init(
            name: String, cluster: String? = nil, window: Int64? = nil, partitions: [Partition] = [],
            commands: Commands? = nil
        ) {
            self.name = name
            self.cluster = cluster
            self.window = window
            self.partitions = partitions
            self.commands = commands
        }
    }

    /// What was held out of training: the last parts in time, or whole streams.
    package struct HeldOut: Codable, Sendable, Equatable {
        package var by: String
        /// When validation and test begin; absent without, and by stream.
        package var validationFrom: String?
        package var testFrom: String?
        /// How many streams; absent by time.
        package var validationStreams: Int?
        package var testStreams: Int?
        /// Observations of each part; absent where an earlier version has written the file.
        package var trainObservations: Int?
        package var validationObservations: Int?
        package var testObservations: Int?

        package enum CodingKeys: String, CodingKey {
            case by
            case validationFrom = "validation_from"
            case testFrom = "test_from"
            case validationStreams = "validation_streams"
            case testStreams = "test_streams"
            case trainObservations = "train_observations"
            case validationObservations = "validation_observations"
            case testObservations = "test_observations"
        }

        package init(
            by: String, validationFrom: String? = nil, testFrom: String? = nil, validationStreams: Int? = nil,
            testStreams: Int? = nil
        ) {
            self.by = by
            self.validationFrom = validationFrom
            self.testFrom = testFrom
            self.validationStreams = validationStreams
            self.testStreams = testStreams
        }
    }

    package var format = 1
    /// In the order they were read.
    package var files: [File]
    package var topic: Topic?
    package var observations: Int
    package var streams: Int
    /// By code.
    package var rejects: [String: Int]
    /// Older than the observation before in their stream; absent without any.
    package var outOfOrder: Int?
    package var heldOut: HeldOut

    package enum CodingKeys: String, CodingKey {
        case format, files, topic, observations, streams, rejects
        case outOfOrder = "out_of_order"
        case heldOut = "held_out"
    }

    package init(
        files: [File] = [], topic: Topic? = nil, observations: Int, streams: Int, rejects: [String: Int] = [:],
        outOfOrder: Int? = nil, heldOut: HeldOut
    ) {
        self.files = files
        self.topic = topic
        self.observations = observations
        self.streams = streams
        self.rejects = rejects
        self.outOfOrder = outOfOrder
        self.heldOut = heldOut
    }
}
