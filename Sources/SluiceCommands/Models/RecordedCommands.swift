internal import SluiceCore
internal import SluiceSchema
internal import SluiceService

/// Reads what `score --commands` applies.
enum RecordedCommands {
    /// Events are few; a file with more is something else.
    private static let eventsMax = 10_000_000

    /// The commands of an NDJSON file of events, in its order; events that change no state are passed over.
    ///
    /// - Throws: `input-invalid` naming the line.
    static func read(_ path: String) throws -> [Event] {
        let reader = try RecordReader(path, fileFormat: .ndjson)
        let decoder = try MessageDecoder()
        var events: [Event] = []
        var line = 0
        while try reader.next(
            limit: Limits.batchRecords,
            { rows in
                for row in rows {
                    line += 1
                    let event = try at(line, path) {
                        if let refusal = row.refusal { throw SluiceError(.invalidInput, refusal.message) }
                        return try decoder.event(row.bytes)
                    }
                    if event.isCommand { events.append(event) }
                }
            })
        {
            guard events.count <= eventsMax else {
                throw SluiceError(.invalidInput, "\(path) has more than \(eventsMax) commands")
            }
        }
        return events
    }

    private static func at(_ line: Int, _ path: String, _ body: () throws -> Event) throws -> Event {
        do {
            return try body()
        } catch let error as SluiceError {
            throw SluiceError(error.code, "\(path), record \(line): \(error.message)", remedy: error.remedy)
        }
    }
}
