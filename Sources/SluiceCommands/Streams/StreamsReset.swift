internal import ArgumentParser
internal import SluiceAdmin

/// `sluice streams reset`.
struct StreamsReset: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "reset",
        abstract: "Set the state of one stream, of some, or of all back to its beginning.",
        discussion: """
            h, c, step, carried missing values and pending forecasts return to their initial values; scaler and \
            anomaly statistics go on. The reset is recorded and audited, and applied between two observations.

            Many streams at once: on a terminal it asks first, elsewhere it needs --yes.

            Examples:
              sluice streams reset pump-17
              sluice streams reset --prefix pump- --dry-run
              sluice streams reset --prefix pump- --yes
              sluice streams reset --all
            """)

    @Argument(help: "The stream's key.")
    var key: String?

    @Option(help: "All streams whose keys begin with this.")
    var prefix: String?

    @Flag(help: "All streams.")
    var all = false

    @Flag(help: "Only count the streams that --prefix or --all would reset.")
    var dryRun = false

    @Flag(name: .shortAndLong, help: "Do not ask.")
    var yes = false

    @OptionGroup var service: ServiceOptions

    func validate() throws {
        let given = [key != nil, prefix != nil, all].count { $0 }
        guard given == 1 else { throw ValidationError("Give exactly one of KEY, --prefix and --all.") }
        guard prefix != "" else { throw ValidationError("An empty --prefix is every stream: say --all.") }
        guard !dryRun || key == nil else { throw ValidationError("--dry-run goes with --prefix or --all.") }
    }

    func run() async throws {
        let client = try service.client()
        if let key {
            try await resetOne(key, client)
        } else {
            try await resetMany(client)
        }
    }

    private func resetOne(_ key: String, _ client: ServiceClient) async throws {
        let console = Console.current
        let answer = try await client.post(["v1", "streams", key, "reset"])
        if service.format == .json { return console.line(answer.text) }
        if answer.status == 202 {
            let id = try answer.decode(PendingCommand.self).id
            console.line("reset \(id) of \(key.printable) is queued: it was not applied within 10 s")
            console.line(
                "once it is, the events topic records \(id), and 'sluice streams show \(key.printable)' counts it")
        } else {
            let reset = try answer.decode(AppliedCommand.self)
            console.line(
                "reset \(reset.stream.printable): fresh from offset \(reset.offset) of partition \(reset.partition) on"
                    + " (\(reset.id))")
        }
    }

    private func resetMany(_ client: ServiceClient) async throws {
        let console = Console.current
        if !dryRun && !yes {
            guard console.isInteractive else {
                throw ValidationError(
                    "There is no terminal to ask on: say --yes to reset many streams, --dry-run to count them.")
            }
            let matched = try await send(client, dryRun: true).decode(ManyReset.self).matched
            guard console.confirm("Reset \(matched) \(Self.noun(matched))?") else {
                console.errorLine("nothing was reset")
                throw ExitCode(1)
            }
        }
        let answer = try await send(client, dryRun: dryRun)
        if service.format == .json { return console.line(answer.text) }
        let reset = try answer.decode(ManyReset.self)
        let count = "\(reset.matched) \(Self.noun(reset.matched))"
        guard let id = reset.id else { return console.line("\(count) would be reset") }
        console.line("reset \(id) of \(count) is queued")
        console.line("the events topic records \(id) in each partition where it is applied")
    }

    private func send(_ client: ServiceClient, dryRun: Bool) async throws -> ServiceClient.Answer {
        var body = JSONWriter()
        body.object {
            if let prefix { $0.member("prefix", prefix) } else { $0.member("all", true) }
            $0.member("dry_run", dryRun)
        }
        return try await client.post(["v1", "streams", "reset"], body: body.text)
    }

    private static func noun(_ count: Int) -> String { count == 1 ? "stream" : "streams" }
}
