internal import ArgumentParser

/// `sluice config`.
struct Config: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Write, check and show the configuration.",
        discussion: """
            Examples:
              sluice config init
              sluice config check
              sluice config show --json
            """,
        subcommands: [ConfigInit.self, ConfigCheck.self, ConfigShow.self])
}
