internal import ArgumentParser
internal import SluiceConfiguration

/// `sluice config show`.
struct ConfigShow: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show",
        abstract: "Show the effective configuration, each value with where it came from.",
        discussion: """
            As YAML that is a configuration again, or with --json as one object with the keys configuration and \
            sources. Passwords and keys are masked.

            Examples:
              sluice config show
              SLUICE_WORKERS=4 sluice config show --set model.hidden=32
              sluice config show --json | jq .sources
            """)

    @OptionGroup var configuration: ConfigurationOptions

    @Flag(help: "One JSON object.")
    var json = false

    func run() async throws {
        let loaded = try configuration.load()
        if json { Console.current.line(loaded.json) } else { Console.current.out(loaded.yaml) }
    }
}
