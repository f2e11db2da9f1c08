/// What a null or absent feature becomes (`input.missing`).
public enum MissingPolicy: String, Codable, Sendable, CaseIterable {
    case carry, zero, mean, reject
}

/// What happens to an observation older than its slot's last time (`input.late`).
public enum LatePolicy: String, Codable, Sendable, CaseIterable {
    case apply, drop, reject
}

/// How an input record is read: the `input` block of the configuration, or the defaults of a file.
public struct InputSpecification: Sendable, Equatable {
    public enum Format: Sendable, Equatable {
        case json
        /// The columns of a record in their order: `stream`, `time`, a feature's name, `sequence`, `boundary`, `label`;
        /// columns with other names are passed over.
        case csv(columns: [String])
    }

    /// A feature and the JSON pointer to its value.
    public struct Feature: Sendable, Equatable {
        public var name: String
        public var pointer: String

        /// The pointer is `/values/<name>` unless given.
        public init(_ name: String, _ pointer: String? = nil) {
            self.name = name
            self.pointer = pointer ?? "/values/" + Self.token(name)
        }

        /// A name as one reference token of RFC 6901.
        private static func token(_ name: String) -> String {
            var token = ""
            for character in name.unicodeScalars {
                switch character {
                case "~": token += "~0"
                case "/": token += "~1"
                default: token.unicodeScalars.append(character)
                }
            }
            return token
        }
    }

    /// Where a stream's name comes from.
    public enum Source: Sendable, Equatable {
        /// Kafka: the record's key names the stream, its timestamp stands in for a missing time, its null value ends
        /// the stream.
        case record
        /// Files: the field `stream` names the stream, the time is required, `"values": null` ends the stream, and
        /// the row may say where it came from in `source`.
        case field
    }

    public var source: Source
    public var format: Format
    /// In the order of the model's inputs.
    public var features: [Feature]
    public var stream: String
    public var time: String
    public var label: String?
    public var sequence: String?
    public var boundary: String?
    public var missing: MissingPolicy
    public var late: LatePolicy

    public init(
        source: Source = .record, format: Format = .json, features: [Feature], stream: String = "/stream",
        time: String = "/time", label: String? = "/label", sequence: String? = "/sequence",
        boundary: String? = "/boundary", missing: MissingPolicy = .carry, late: LatePolicy = .apply
    ) {
        self.source = source
        self.format = format
        self.features = features
        self.stream = stream
        self.time = time
        self.label = label
        self.sequence = sequence
        self.boundary = boundary
        self.missing = missing
        self.late = late
    }

    /// The pointer above all features, whose null ends a stream in a file; nil when they have none in common.
    var valuesPointer: String? {
        func parent(_ pointer: String) -> Substring? {
            pointer.lastIndex(of: "/").map { pointer[..<$0] }
        }
        guard let first = features.first.flatMap({ parent($0.pointer) }), !first.isEmpty,
            features.allSatisfy({ parent($0.pointer) == first })
        else { return nil }
        return String(first)
    }
}

/// Where each field's value is among the results of a record: features first, then the fields the specification has.
struct FieldSlots: Sendable {
    /// −1: the input has no such field.
    var stream = -1, time = -1, label = -1, sequence = -1, boundary = -1, values = -1
    /// `source`: topic, partition, offset, one behind the other.
    var source = -1
    private(set) var names: [String]
    private(set) var pointers: [String]

    init(_ specification: InputSpecification) {
        names = specification.features.map { "feature \"\($0.name)\"" }
        pointers = specification.features.map(\.pointer)
        if specification.source == .field { stream = add("stream", specification.stream) }
        time = add("time", specification.time)
        if let pointer = specification.label { label = add("label", pointer) }
        if let pointer = specification.sequence { sequence = add("sequence", pointer) }
        if let pointer = specification.boundary { boundary = add("boundary", pointer) }
        guard specification.source == .field else { return }
        if let pointer = specification.valuesPointer { values = add("values", pointer) }
        source = add("source.topic", "/source/topic")
        _ = add("source.partition", "/source/partition")
        _ = add("source.offset", "/source/offset")
    }

    private mutating func add(_ name: String, _ pointer: String) -> Int {
        names.append(name)
        pointers.append(pointer)
        return names.count - 1
    }
}
