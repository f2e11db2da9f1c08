import SluiceCore
import SluiceSchema

/// A record of the control topic or of the events topic.
struct Messages: FuzzTarget {
    static func seeds() throws -> [Seed] {
        let examples = try Repository.examples("command.schema.json") + Repository.examples("event.schema.json")
        return examples.enumerated().map { Seed("seed-\($0)", $1) }
    }

    func run(_ bytes: UnsafeRawBufferPointer) throws {
        let decoder = try MessageDecoder()
        if let command = try expecting(.invalidInput, parse: { try decoder.command(bytes) }) {
            let again = try written { command.encode(into: &$0) }.withUnsafeBytes { try decoder.command($0) }
            check(again == command, "a command reads back as it is written")
        }
        if let event = try expecting(.invalidInput, parse: { try decoder.event(bytes) }) {
            let again = try written { event.encode(into: &$0) }.withUnsafeBytes { try decoder.event($0) }
            check(again == event, "an event reads back as it is written")
        }
    }

    private func written(_ write: (inout ByteArena) -> Range<Int>) -> [UInt8] {
        var arena = ByteArena(capacity: 8)
        let range = write(&arena)
        return Array(arena.bytes(range))
    }
}
