import SluiceCore
import SluiceSchema

@testable import SluiceEngine

/// What the changelog holds besides slots and markers: the head of a partition, and the ids of its last commands.
struct ChangelogRecords: FuzzTarget {
    static func seeds() throws -> [Seed] {
        var ids = ByteArena()
        var schedule = CommandSchedule()
        for index in 0..<3 as Range<Offset> {
            schedule.remember(
                Event(
                    id: "command-\(index)", type: .reset, target: .prefix(""), partition: 0, offset: index, by: "a",
                    time: 0, control: index))
        }
        _ = schedule.encodeIDs(into: &ids)
        let heads = try Repository.examples("head.schema.json").enumerated().map { Seed("seed-\($0)", $1) }
        return heads + [Seed("seed-ids", ids.bytes)]
    }

    func run(_ bytes: UnsafeRawBufferPointer) throws {
        let decoder = try HeadDecoder()
        if let head = try expecting(.invalidState, parse: { try decoder.head(bytes) }) {
            var arena = ByteArena(capacity: 8)
            let range = head.encode(into: &arena)
            try check(decoder.head(arena.bytes(range)) == head, "a head reads back as it is written")
        }
        var schedule = CommandSchedule()
        guard try expecting(.invalidState, parse: { try schedule.decodeIDs(bytes) }) != nil else { return }
        var first = ByteArena(capacity: 8)
        var second = ByteArena(capacity: 8)
        _ = schedule.encodeIDs(into: &first)
        var again = CommandSchedule()
        try again.decodeIDs(first.bytes)
        _ = again.encodeIDs(into: &second)
        check(first.bytes.elementsEqual(second.bytes), "ids of commands read back as they are written")
    }
}
