internal import CSimdJSON
public import SluiceCore

/// The head of a partition in the changelog (`schemas/head.schema.json`): how far a transaction brought it.
public struct ChangelogHead: Sendable, Equatable {
    /// Names the log of state that the changelog's records belong to.
    public var identity: String
    /// The next input: what the group commits in the same transaction.
    public var offset: Offset
    /// First input that a restart folds again.
    public var replayFrom: Offset
    /// First command of the control partition that has not taken effect.
    public var control: Offset
    /// SHA-256 of the file of the model that folds the next input, in hexadecimal.
    public var model: String
    /// Latest event time folded; `.absent` before the first.
    public var latest: EpochMilliseconds
    /// Partitions of the input, by which keys hashed to this one; nil in heads of before it was recorded.
    public var partitions: Int?

    public init(
        identity: String, offset: Offset, replayFrom: Offset, control: Offset, model: String,
        latest: EpochMilliseconds, partitions: Int? = nil
    ) {
        self.identity = identity
        self.offset = offset
        self.replayFrom = replayFrom
        self.control = control
        self.model = model
        self.latest = latest
        self.partitions = partitions
    }

    /// Appends the head's JSON and returns where it is.
    public func encode(into arena: inout ByteArena) -> Range<Int> {
        let start = arena.count
        arena.append("{")
        arena.appendMember("identity", identity)
        arena.appendMember("offset", offset)
        arena.appendMember("replayFrom", replayFrom)
        arena.appendMember("control", control)
        arena.appendMember("model", model)
        if latest != .absent { arena.appendMember("latest", time: latest) }
        if let partitions { arena.appendMember("partitions", Offset(partitions)) }
        arena.append("}")
        return start..<arena.count
    }
}

/// Reads heads; members it does not know are passed over. Confined to one thread.
public struct HeadDecoder: ~Copyable {
    private static let members = ["identity", "offset", "replayFrom", "control", "model", "latest", "partitions"]
    private let parser: JSONPointerParser

    public init() throws(SluiceError) { parser = try JSONPointerParser(Self.members.map { "/\($0)" }) }

    /// Throws `state-invalid`, naming the member that is wrong.
    public func head(_ bytes: UnsafeRawBufferPointer) throws(SluiceError) -> ChangelogHead {
        if let reason = parser.parse(bytes) {
            throw SluiceError(.invalidState, "a head is not JSON: \(String(cString: reason))")
        }
        var latest = EpochMilliseconds.absent
        if !parser.values[5].isAbsent {
            guard let time = Timestamp.parse(try text(5)) else { throw wrong(5) }
            latest = time
        }
        let partitions = parser.values[6].isAbsent ? nil : try offset(6)
        guard partitions != 0 else { throw wrong(6) }
        return ChangelogHead(
            identity: try text(0), offset: try offset(1), replayFrom: try offset(2), control: try offset(3),
            model: try text(4), latest: latest, partitions: partitions.map { Int($0) })
    }

    private func wrong(_ member: Int) -> SluiceError {
        SluiceError(.invalidState, "\"\(Self.members[member])\" of a head is wrong or missing")
    }

    private func text(_ member: Int) throws(SluiceError) -> String {
        guard parser.values[member].kind == SLUICE_JSON_STRING else { throw wrong(member) }
        return parser.values[member].string
    }

    private func offset(_ member: Int) throws(SluiceError) -> Offset {
        let value = parser.values[member]
        guard value.kind == SLUICE_JSON_INTEGER, value.integer >= 0 else { throw wrong(member) }
        return value.integer
    }
}
