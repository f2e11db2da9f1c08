/// What a model was trained on: the JSON under the metadata key `sluice.data` of a model file; names as in the file.
///
/// Nothing in it says when or where the training ran, so that the same training on the same data gives the same bytes.
/// Times are RFC 3339 in UTC, those of the observations.
public struct DataManifest: Codable, Sendable, Equatable {
    public struct File: Codable, Sendable, Equatable {
        /// Without its folder.
        public var name: String
        public var bytes: Int
        public var sha256: String
        public var observations: Int
        public var rejects: Int
        /// Of the earliest and of the latest observation; absent without any.
        public var first: String?
        public var last: String?

        public init(
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

    public struct Partition: Codable, Sendable, Equatable {
        public var partition: Int32
        /// The offset of the first record read, and that behind the last.
        public var from: Int64
        public var to: Int64
        public var observations: Int
        public var rejects: Int
        /// Of the earliest and of the latest observation; absent without any.
        public var first: String?
        public var last: String?

        public init(
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
    public struct Commands: Codable, Sendable, Equatable {
        public struct Records: Codable, Sendable, Equatable {
            public var partition: Int32
            /// The offset of the first record that was repeated, and that behind the last.
            public var from: Int64
            public var to: Int64

            public init(partition: Int32, from: Int64, to: Int64) {
                self.partition = partition
                self.from = from
                self.to = to
            }
        }

        /// That records them.
        public var topic: String
        /// Whether there was such a topic.
        public var exists: Bool
        /// Commands that were repeated.
        public var applied: Int
        /// Of that topic: those that hold them.
        public var partitions: [Records]

        public init(topic: String, exists: Bool, applied: Int = 0, partitions: [Records] = []) {
            self.topic = topic
            self.exists = exists
            self.applied = applied
            self.partitions = partitions
        }
    }

    public struct Topic: Codable, Sendable, Equatable {
        public var name: String
        /// The cluster's id; absent where it is not known.
        public var cluster: String?
        /// Milliseconds that were looked back; absent where the bounds were others.
        public var window: Int64?
        /// Those that gave records.
        public var partitions: [Partition]
        /// Absent where none were looked for.
        public var commands: Commands?

        public init(
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
    public struct HeldOut: Codable, Sendable, Equatable {
        public var by: String
        /// When validation and test begin; absent without, and by stream.
        public var validationFrom: String?
        public var testFrom: String?
        /// How many streams; absent by time.
        public var validationStreams: Int?
        public var testStreams: Int?
        /// Observations of each part; absent where an earlier version has written the file.
        public var trainObservations: Int?
        public var validationObservations: Int?
        public var testObservations: Int?

        public enum CodingKeys: String, CodingKey {
            case by
            case validationFrom = "validation_from"
            case testFrom = "test_from"
            case validationStreams = "validation_streams"
            case testStreams = "test_streams"
            case trainObservations = "train_observations"
            case validationObservations = "validation_observations"
            case testObservations = "test_observations"
        }

        public init(
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

    public var format = 1
    /// In the order they were read.
    public var files: [File]
    public var topic: Topic?
    public var observations: Int
    public var streams: Int
    /// By code.
    public var rejects: [String: Int]
    /// Older than the observation before in their stream; absent without any.
    public var outOfOrder: Int?
    public var heldOut: HeldOut

    public enum CodingKeys: String, CodingKey {
        case format, files, topic, observations, streams, rejects
        case outOfOrder = "out_of_order"
        case heldOut = "held_out"
    }

    public init(
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
