internal import ArgumentParser

/// `sluice streams`.
struct Streams: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Inspect and administer the live streams of a running service.",
        discussion: """
            All through the service's HTTP API.

            Examples:
              sluice streams list --prefix pump-
              sluice streams show pump-17
              sluice streams watch pump-17
              sluice streams reset pump-17
              sluice streams export pump-17 --at 12345 | sluice streams import -
            """,
        subcommands: [
            StreamsList.self, StreamsShow.self, StreamsWatch.self, StreamsReset.self, StreamsExport.self,
            StreamsImport.self,
        ])
}
