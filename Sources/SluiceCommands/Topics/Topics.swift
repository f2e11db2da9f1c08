internal import ArgumentParser

/// `sluice topics`.
struct Topics: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Check or make the topics that the configuration needs.",
        discussion: """
            Examples:
              sluice topics check
              sluice topics create --partitions 12
            """,
        subcommands: [TopicsCheck.self, TopicsCreate.self])
}
