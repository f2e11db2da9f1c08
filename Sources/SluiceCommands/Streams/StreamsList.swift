internal import ArgumentParser
internal import SluiceAdmin
internal import SluiceCore

/// `sluice streams list`.
struct StreamsList: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "List streams with their latest forecast.",
        discussion: """
            In the byte order of their keys. With --json every page of up to \(Limits.pageStreams) streams is one \
            line.

            Examples:
              sluice streams list
              sluice streams list --prefix pump- --limit 5000
              sluice streams list --after pump-17
              sluice streams list --json | jq '.streams[] | select(.anomaly > 0.99)'
            """)

    @OptionGroup var service: ServiceOptions

    @Option(help: "Only keys that begin with this.")
    var prefix = ""

    @Option(help: "Streams at most.")
    var limit = 100

    @Option(help: "Only keys after this one.")
    var after: String?

    func validate() throws {
        guard limit > 0 else { throw ValidationError("--limit must be at least 1.") }
    }

    func run() async throws {
        let console = Console.current
        let client = try service.client()
        var streams: [StreamSummary] = []
        var next = after
        var listed = 0
        repeat {
            let answer = try await client.streams(
                prefix: prefix, limit: min(limit - listed, Limits.pageStreams), after: next)
            let page = try answer.decode(StreamPage.self)
            if service.format == .json { console.line(answer.text) }
            streams += page.streams
            listed += page.streams.count
            next = page.next
        } while next != nil && listed < limit
        guard service.format == .text else { return }
        if streams.isEmpty {
            console.errorLine(prefix.isEmpty ? "no streams" : "no streams begin with '\(prefix.printable)'")
        } else {
            console.out(StreamTables.list(streams).text)
        }
        if let next { console.errorLine("there are more: --limit N, or --after '\(next.printable)'") }
    }
}

extension ServiceClient {
    func streams(prefix: String, limit: Int, after: String?) async throws -> Answer {
        var query = [("limit", String(limit))]
        if !prefix.isEmpty { query.append(("prefix", prefix)) }
        if let after { query.append(("after", after)) }
        return try await get(["v1", "streams"], query: query)
    }

    func stream(_ key: String, fullState: Bool = false) async throws -> Answer {
        try await get(["v1", "streams", key], query: fullState ? [("state", "full")] : [])
    }
}
