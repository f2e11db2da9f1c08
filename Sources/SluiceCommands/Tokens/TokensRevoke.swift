internal import ArgumentParser
internal import SluiceAccess
internal import SluiceAdmin
internal import SluiceCore

/// `sluice tokens revoke`.
struct TokensRevoke: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "revoke",
        abstract: "Take an access token away; a running service refuses it at once.",
        discussion: """
            Examples:
              sluice tokens revoke oncall
              sluice tokens revoke 5f0c2a91
            """)

    @Argument(help: "The token's name or id.")
    var token: String

    @OptionGroup var tokens: TokenFileOptions

    func run() async throws {
        let console = Console.current
        let path = try tokens.path()
        let (revoked, left) = try TokenFile.edit(path) { file in
            guard let revoked = file.revoke(token) else {
                throw SluiceError(
                    .tokens, "there is no token \(token.printable) in \(path)",
                    remedy: "'sluice tokens list' lists them")
            }
            return (revoked, file.tokens.count)
        }
        console.line(
            tokens.json
                ? JSONWriter.text(of: TokenRow(token: revoked)) : "revoked \(revoked.name) (\(revoked.id))")
        if left == 0 {
            console.errorLine(
                "no tokens are left: a service that runs with this file answers nobody until there is one")
        }
    }
}
