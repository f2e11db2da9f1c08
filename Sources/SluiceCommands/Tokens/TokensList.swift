internal import ArgumentParser
internal import SluiceAccess
internal import SluiceAdmin

/// `sluice tokens list`.
struct TokensList: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "List the access tokens, oldest first, without their secrets.",
        discussion: """
            Examples:
              sluice tokens list
              sluice tokens list --json | jq -r '.tokens[] | select(.role == "admin").name'
            """)

    @OptionGroup var tokens: TokenFileOptions

    func run() async throws {
        let console = Console.current
        let path = try tokens.path()
        let rows = (try TokenFile.read(path)?.tokens ?? []).map { TokenRow(token: $0) }
        if tokens.json {
            var json = JSONWriter()
            json.object { $0.member("tokens", rows) }
            return console.line(json.text)
        }
        guard !rows.isEmpty else { return console.errorLine("no tokens in \(path)") }
        var table = TextTable([.left("name"), .left("role"), .left("created"), .left("id")])
        for row in rows { table.add([row.token.name, "\(row.token.role)", row.token.createdText, row.token.id]) }
        console.out(table.text)
    }
}
