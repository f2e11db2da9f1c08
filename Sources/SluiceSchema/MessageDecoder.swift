internal import CSimdJSON
internal import FoundationEssentials
public import SluiceCore

/// Reads commands and events; members it does not know are passed over. Confined to one thread.
public struct MessageDecoder: ~Copyable {
    private enum Member: Int, CaseIterable {
        case id, type, stream, prefix, partition, offset, by, time, control, model, previous, cause, snapshot
    }

    private let parser: JSONPointerParser

    public init() throws(SluiceError) {
        parser = try JSONPointerParser(Member.allCases.map { "/\($0)" })
    }

    /// Throws `input-invalid`, naming the member that is wrong.
    public func command(_ bytes: UnsafeRawBufferPointer) throws(SluiceError) -> Command {
        try parse(bytes, "command")
        return Command(
            id: try id(), type: MessageType(rawValue: try text(.type)), target: try target(),
            model: try optionalText(.model), snapshot: try base64(.snapshot), by: try text(.by), time: try time())
    }

    /// Throws `input-invalid`, naming the member that is wrong.
    public func event(_ bytes: UnsafeRawBufferPointer) throws(SluiceError) -> Event {
        try parse(bytes, "event")
        guard let number = Int32(exactly: try offset(.partition)) else {
            throw wrong(.partition, "is not a partition")
        }
        let isCommanded = !parser.values[Member.control.rawValue].isAbsent
        return Event(
            id: try id(), type: MessageType(rawValue: try text(.type)), target: try target(), partition: number,
            offset: try offset(.offset), by: try text(.by), time: try time(),
            control: isCommanded ? try offset(.control) : nil, model: try optionalText(.model),
            previous: try optionalText(.previous), cause: try optionalText(.cause),
            snapshot: try base64(.snapshot))
    }

    private func parse(_ bytes: UnsafeRawBufferPointer, _ noun: String) throws(SluiceError) {
        guard bytes.count <= Limits.observationBytes else {
            throw SluiceError(.invalidInput, "a \(noun) is larger than \(Limits.observationBytes) bytes")
        }
        if let reason = parser.parse(bytes) {
            throw SluiceError(.invalidInput, "a \(noun) is not JSON: \(String(cString: reason))")
        }
    }

    private func wrong(_ member: Member, _ what: String) -> SluiceError {
        SluiceError(
            .invalidInput, "\"\(member)\" of a command or event \(what)", remedy: "see schemas/event.schema.json")
    }

    private func optionalText(_ member: Member) throws(SluiceError) -> String? {
        let value = parser.values[member.rawValue]
        if value.isAbsent { return nil }
        guard value.kind == SLUICE_JSON_STRING else { throw wrong(member, "is \(value.noun), not a text") }
        return value.string
    }

    private func base64(_ member: Member) throws(SluiceError) -> [UInt8]? {
        guard let text = try optionalText(member) else { return nil }
        guard let bytes = Data(base64Encoded: text) else { throw wrong(member, "is not base64") }
        return Array(bytes)
    }

    private func text(_ member: Member) throws(SluiceError) -> String {
        guard let text = try optionalText(member) else { throw wrong(member, "is missing") }
        return text
    }

    private func id() throws(SluiceError) -> String {
        let id = try text(.id)
        guard (1...Limits.commandIDBytes).contains(id.utf8.count) else {
            throw wrong(.id, "has \(id.utf8.count) bytes, not 1 to \(Limits.commandIDBytes)")
        }
        return id
    }

    private func offset(_ member: Member) throws(SluiceError) -> Offset {
        let value = parser.values[member.rawValue]
        guard value.kind == SLUICE_JSON_INTEGER, value.integer >= 0 else {
            throw wrong(member, "is \(value.noun), not a whole number from 0")
        }
        return value.integer
    }

    private func time() throws(SluiceError) -> EpochMilliseconds {
        guard let time = Timestamp.parse(try text(.time)), Timestamp.range.contains(time) else {
            throw wrong(.time, "is not an RFC 3339 time")
        }
        return time
    }

    private func target() throws(SluiceError) -> Target? {
        switch (try optionalText(.stream), try optionalText(.prefix)) {
        case (let stream?, nil): return .stream(stream)
        case (nil, let prefix?): return .prefix(prefix)
        case (nil, nil): return nil
        case (_?, _?): throw wrong(.prefix, "excludes \"stream\"")
        }
    }
}
