internal import ArgumentParser
internal import SluiceAdmin

/// `sluice streams show`.
struct StreamsShow: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show",
        abstract: "Show one stream's slot and its latest observations.",
        discussion: """
            Examples:
              sluice streams show pump-17
              sluice streams show 'plant 3/pump 17' --full
              sluice streams show pump-17 --json
            """)

    @Argument(help: "The stream's key.")
    var key: String

    @Flag(help: "With h and c.")
    var full = false

    @OptionGroup var service: ServiceOptions

    func run() async throws {
        let answer = try await service.client().stream(key, fullState: full)
        switch service.format {
        case .json: Console.current.line(answer.text)
        case .text: Console.current.out(StreamTables.slot(try answer.decode(StreamSlot.self)))
        }
    }
}
