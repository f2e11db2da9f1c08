internal import ArgumentParser
internal import SluiceAccess
internal import SluiceAdmin

/// `sluice tokens add`.
struct TokensAdd: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "add",
        abstract: "Make an access token; its secret is shown this once.",
        discussion: """
            The secret goes to stdout, alone, and is kept nowhere: the file holds its SHA-256. What an \
            admin changes is recorded under the token's name.

            Examples:
              sluice tokens add --role viewer --name prometheus > prometheus.token
              export SLUICE_TOKEN=$(sluice tokens add --role admin)
              sluice tokens add --role admin --name oncall --file ./tokens.yaml
            """)

    @Option(help: "A viewer looks, an admin also changes.")
    var role: AccessRole

    @Option(help: "Its name, in records and for 'revoke'; else its role and id.")
    var name: String?

    @OptionGroup var tokens: TokenFileOptions

    func run() async throws {
        let console = Console.current
        let path = try tokens.path()
        let (token, secret) = try TokenFile.edit(path) { try $0.add(name: name, role: role) }
        console.line(
            tokens.json ? JSONWriter.text(of: TokenRow(token: token, secret: secret.text)) : secret.text)
        console.errorLine(
            "token \(token.name) (\(token.role)) is in \(path); its secret, on stdout, is not shown again:"
                + " 'sluice streams' takes it from SLUICE_TOKEN, others send it as 'Authorization: Bearer SECRET'")
    }
}

extension AccessRole: ExpressibleByArgument {}
