internal import ArgumentParser
internal import SluiceCore
internal import SluiceFiles
internal import SluiceState

/// `sluice streams export`.
struct StreamsExport: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "export",
        abstract: "Write one stream's state, as it is or as it was, to a file.",
        discussion: """
            The file is a snapshot (schemas/snapshot.md): h, c, scaler and anomaly statistics, pending forecasts, all \
            that the next prediction comes from. 'sluice streams import' lets a stream go on from it, here or in \
            another application with the same model. With --json what the file holds is printed as one object.

            With --at the state is rebuilt from the log as it was before the input at that offset, and before the \
            commands that took effect there: the offset that a reset answered takes the reset back. That folds the \
            stream again from its last snapshot before it, or from the log's beginning, and is refused where the log \
            no longer holds it.

            Examples:
              sluice streams export pump-17 --output pump-17.slot
              sluice streams export pump-17 --at 12345 --output before.slot
              sluice streams export pump-17 --at 12345 | sluice streams import -
            """)

    @Argument(help: "The stream's key.")
    var key: String

    @Option(help: "As it was before the input at this offset of its partition.")
    var at: Int64?

    @Option(help: "Where a stream was that has ended since; with --at.")
    var partition: Int32?

    @Option(name: .shortAndLong, help: "The file; '-' is stdout, as without it where stdout is no terminal.")
    var output: String?

    @OptionGroup var service: ServiceOptions

    func validate() throws {
        guard at ?? 0 >= 0, partition ?? 0 >= 0 else { throw ValidationError("Offsets and partitions begin at 0.") }
        guard partition == nil || at != nil else { throw ValidationError("--partition goes with --at.") }
        guard !service.json || output != nil && output != "-" else {
            throw ValidationError("--json describes what --output FILE holds: give one.")
        }
    }

    func run() async throws {
        let console = Console.current
        guard output != nil || !console.isTerminal else {
            throw ValidationError("A snapshot is no text for a terminal: give --output FILE.")
        }
        let bytes = try await fetch(console)
        guard let output, output != "-" else { return console.outBytes(bytes) }
        try FileBytes.replace(output, with: bytes)
        let snapshot = try SnapshotFile(bytes, output)
        switch service.format {
        case .json: console.line(snapshot.json)
        case .text:
            console.line("\(key.printable) before offset \(snapshot.position): step \(snapshot.step), in \(output)")
        }
    }

    private func fetch(_ console: Console) async throws -> [UInt8] {
        var query: [(String, String)] = []
        if let at { query.append(("offset", String(at))) }
        if let partition { query.append(("partition", String(partition))) }
        let client = try service.client()
        let path = ["v1", "streams", key, "export"]
        guard at != nil else { return Array(try await client.get(path).body) }
        return try await console.waiting("folding again") { [query] in
            Array(try await client.get(path, query: query, seconds: 86_400).body)
        }
    }
}
