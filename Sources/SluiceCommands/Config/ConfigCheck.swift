internal import ArgumentParser
internal import SluiceConfiguration
internal import SluiceKafka

/// `sluice config check`.
struct ConfigCheck: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Check the configuration: everything that is wrong, with its line.",
        discussion: """
            Looks at the file, the environment, --set and the access tokens, not at the cluster ('sluice topics check' \
            does). Exit code 1 if something is wrong.

            Examples:
              sluice config check
              sluice config check -c pumps.yaml
            """)

    @OptionGroup var configuration: ConfigurationOptions

    func run() async throws {
        let loaded = try configuration.load(isServed: true)
        // librdkafka itself knows which properties there are.
        _ = try KafkaConfiguration(loaded.configuration.kafka)
        let given = loaded.settings.count { $0.provenance != .default }
        let file = configuration.config ?? ConfigurationOptions.defaultFile
        Console.current.line("\(file) is right: \(given) settings given, \(loaded.settings.count - given) by default")
    }
}
