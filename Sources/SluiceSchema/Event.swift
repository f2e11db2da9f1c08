internal import FoundationEssentials
public import SluiceCore

/// A record of `<application>.events` (`schemas/event.schema.json`): what happened, at which input offset. As NDJSON
/// it is what `score --commands` applies.
public struct Event: Sendable, Equatable {
    /// The command's id; for what was not commanded, an id of its own.
    public var id: String
    public var type: MessageType
    public var target: Target?
    public var partition: Int32
    /// The first input offset folded after it: from the fresh state, by the new model.
    public var offset: Offset
    public var by: String
    public var time: EpochMilliseconds
    /// Where the command lies in the control topic; nil for what was not commanded.
    public var control: Offset?
    /// The version a swap went to, or would have.
    public var model: String?
    /// The version a swap came from.
    public var previous: String?
    /// Why: for a boundary its kind, for a refusal what is wrong.
    public var cause: String?
    /// The state that an import gave to its stream.
    public var snapshot: [UInt8]?

    public init(
        id: String, type: MessageType, target: Target?, partition: Int32, offset: Offset, by: String,
        time: EpochMilliseconds, control: Offset? = nil, model: String? = nil, previous: String? = nil,
        cause: String? = nil, snapshot: [UInt8]? = nil
    ) {
        self.id = id
        self.type = type
        self.target = target
        self.partition = partition
        self.offset = offset
        self.by = by
        self.time = time
        self.control = control
        self.model = model
        self.previous = previous
        self.cause = cause
        self.snapshot = snapshot
    }

    /// The record of a command that took effect.
    ///
    /// - Parameter previous: the model before a swap.
    public init(
        _ command: Command, partition: Int32, offset: Offset, control: Offset, previous: String? = nil
    ) {
        self.init(
            id: command.id, type: command.type, target: command.target, partition: partition, offset: offset,
            by: command.by, time: command.time, control: control, model: command.model,
            previous: command.type == .swap ? previous : nil, snapshot: command.snapshot)
    }

    /// The record of a command that is not obeyed: all that can be said of it without its snapshot.
    public init(refusing command: Command, partition: Int32, offset: Offset, control: Offset, cause: String) {
        self.init(
            id: command.id, type: .refused, target: command.target, partition: partition, offset: offset,
            by: command.by, time: command.time, control: control, model: command.model, cause: cause)
    }

    /// Whether it records a command that took effect, with all that it takes to repeat it.
    public var isCommand: Bool { Command.isComplete(type, target, model: model, snapshot: snapshot) }

    /// Whether it is about more than one stream.
    public var isOfMany: Bool { if case .stream? = target { false } else { true } }

    /// Appends the event's JSON and returns where it is.
    public func encode(into arena: inout ByteArena) -> Range<Int> {
        let start = arena.count
        arena.append("{")
        arena.appendMember("id", id)
        arena.appendMember("type", type.rawValue)
        arena.appendMember(target)
        arena.appendMember("partition", Int64(partition))
        arena.appendMember("offset", offset)
        arena.appendMember("by", by)
        arena.appendMember("time", time: time)
        arena.appendMember("control", control)
        arena.appendMember("model", model)
        arena.appendMember("previous", previous)
        arena.appendMember("cause", cause)
        arena.appendMember("snapshot", bytes: snapshot)
        arena.append("}")
        return start..<arena.count
    }
}

extension ByteArena {
    private mutating func appendName(_ name: StaticString) {
        if bytes.last != UInt8(ascii: "{") { append(",") }
        append("\"")
        append(name)
        append("\":")
    }

    /// A member of a command or event; nothing for nil.
    mutating func appendMember(_ name: StaticString, _ value: String?) {
        guard let value else { return }
        appendName(name)
        appendJSON(value)
    }

    /// Base64 of RFC 4648.
    mutating func appendMember(_ name: StaticString, bytes: [UInt8]?) {
        appendMember(name, bytes.map { Data($0).base64EncodedString() })
    }

    mutating func appendMember(_ name: StaticString, _ value: Int64?) {
        guard let value else { return }
        appendName(name)
        appendJSON(value)
    }

    mutating func appendMember(_ name: StaticString, time: EpochMilliseconds) {
        appendName(name)
        appendJSON(time: time)
    }

    mutating func appendMember(_ target: Target?) {
        switch target {
        case .stream(let name): appendMember("stream", name)
        case .prefix(let prefix): appendMember("prefix", prefix)
        case nil: break
        }
    }
}
