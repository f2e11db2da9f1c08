public import SluiceCore

/// What a command or event is about. Extensible: readers pass over types they do not know.
public struct MessageType: RawRepresentable, Hashable, Sendable {
    public let rawValue: String
    public init(rawValue: String) { self.rawValue = rawValue }

    public static let reset = MessageType(rawValue: "reset")
    public static let swap = MessageType(rawValue: "swap")
    public static let `import` = MessageType(rawValue: "import")
    public static let boundary = MessageType(rawValue: "boundary")
    /// A command that is not obeyed, ever.
    public static let refused = MessageType(rawValue: "refused")
}

/// The streams a command or event is about.
public enum Target: Hashable, Sendable {
    case stream(String)
    /// All streams whose name starts so; empty: all.
    case prefix(String)
}

/// A record of `<application>.control` (`schemas/command.schema.json`), keyed by its stream where it has one.
public struct Command: Sendable, Equatable {
    public var id: String
    public var type: MessageType
    /// Nil for commands to the whole partition, such as a swap.
    public var target: Target?
    /// The version a swap goes to.
    public var model: String?
    /// The state that an import gives to its stream (`schemas/snapshot.md`).
    public var snapshot: [UInt8]?
    /// Who asked.
    public var by: String
    /// When it was asked, by the asker's clock.
    public var time: EpochMilliseconds

    public init(
        id: String, type: MessageType = .reset, target: Target?, model: String? = nil, snapshot: [UInt8]? = nil,
        by: String, time: EpochMilliseconds
    ) {
        self.id = id
        self.type = type
        self.target = target
        self.model = model
        self.snapshot = snapshot
        self.by = by
        self.time = time
    }

    /// Appends the command's JSON and returns where it is.
    public func encode(into arena: inout ByteArena) -> Range<Int> {
        let start = arena.count
        arena.append("{")
        arena.appendMember("id", id)
        arena.appendMember("type", type.rawValue)
        arena.appendMember(target)
        arena.appendMember("model", model)
        arena.appendMember("by", by)
        arena.appendMember("time", time: time)
        arena.appendMember("snapshot", bytes: snapshot)
        arena.append("}")
        return start..<arena.count
    }

    /// Whether it says all that it takes to be obeyed.
    public var isComplete: Bool { Self.isComplete(type, target, model: model, snapshot: snapshot) }

    static func isComplete(_ type: MessageType, _ target: Target?, model: String?, snapshot: [UInt8]?) -> Bool {
        switch (type, target) {
        case (.reset, _?): true
        case (.swap, _): model != nil
        case (.import, .stream?): snapshot != nil
        default: false
        }
    }
}
