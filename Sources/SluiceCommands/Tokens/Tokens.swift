internal import ArgumentParser

/// `sluice tokens`.
struct Tokens: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Make, list and revoke access tokens to a service's HTTP API.",
        discussion: """
            They are kept in the file admin.tokens of the configuration, which holds no secrets. A running service \
            follows the file at once. On another address than loopback it refuses to run without a token; on \
            loopback it is open until there is one.

            Examples:
              sluice tokens add --role admin --name oncall
              sluice tokens list
              sluice tokens revoke oncall
            """,
        subcommands: [TokensAdd.self, TokensList.self, TokensRevoke.self])
}
