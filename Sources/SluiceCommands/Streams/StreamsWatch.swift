internal import ArgumentParser
internal import SluiceAdmin
internal import SluiceCore
internal import UnixSignals

/// `sluice streams watch`.
struct StreamsWatch: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "watch",
        abstract: "Follow one stream, or a list of them, until Ctrl-C.",
        discussion: """
            On a terminal the table is drawn anew each second; elsewhere every change is a line. With --json every \
            answer of the service is a line.

            Examples:
              sluice streams watch
              sluice streams watch --prefix pump- --limit 40
              sluice streams watch pump-17 --interval 0.2
            """)

    @Argument(help: "The stream's key; without it, a list.")
    var key: String?

    @Option(help: "In the list only keys that begin with this.")
    var prefix = ""

    @Option(help: "Streams in the list, at most \(Limits.pageStreams).")
    var limit = 20

    @Option(help: "Seconds between two looks.")
    var interval = 1.0

    @OptionGroup var service: ServiceOptions

    func validate() throws {
        guard (1...Limits.pageStreams).contains(limit) else {
            throw ValidationError("--limit must be from 1 to \(Limits.pageStreams).")
        }
        guard interval >= 0.05 && interval <= 3_600 else {
            throw ValidationError("--interval must be from 0.05 to 3600 seconds.")
        }
    }

    /// Ends with the first signal, or with the first failure.
    func run() async throws {
        let signals = await UnixSignalsSequence(trapping: .sigint, .sigterm)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { for await _ in signals { return } }
            group.addTask { try await follow() }
            defer { group.cancelAll() }
            try await group.next()
        }
    }

    private func follow() async throws {
        let client = try service.client()
        var changes = StreamChanges()
        do {
            while !Task.isCancelled {
                try await look(client, &changes)
                if let failure = Console.current.outFailure() { throw failure }
                try await Task.sleep(for: .seconds(interval))
            }
        } catch  where Task.isCancelled {
            return
        }
    }

    private func look(_ client: ServiceClient, _ changes: inout StreamChanges) async throws {
        let console = Console.current
        let answer =
            if let key {
                try await client.stream(key)
            } else {
                try await client.streams(prefix: prefix, limit: limit, after: nil)
            }
        if service.format == .json { return console.line(answer.text) }
        if key != nil {
            let slot = try answer.decode(StreamSlot.self)
            if console.isTerminal {
                console.out(Self.clear + StreamTables.slot(slot))
            } else {
                changes.lines(of: slot).forEach(console.line)
            }
        } else {
            let page = try answer.decode(StreamPage.self)
            if console.isTerminal {
                console.out(Self.clear + StreamTables.list(page.streams).text)
            } else {
                changes.lines(of: page).forEach(console.line)
            }
        }
    }

    /// Cursor to the corner, then everything behind it away.
    private static let clear = "\u{1B}[H\u{1B}[J"
}
