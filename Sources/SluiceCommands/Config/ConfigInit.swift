internal import ArgumentParser
internal import Foundation
internal import SluiceConfiguration
internal import SluiceCore
internal import SluiceFiles

/// `sluice config init`.
struct ConfigInit: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "init",
        abstract: "Write a first configuration: every setting with its default and a comment.",
        discussion: """
            Examples:
              sluice config init
              sluice config init --output pumps.yaml
              sluice config init --output - | less
            """)

    @Option(name: .shortAndLong, help: ArgumentHelp("The file; - is stdout.", valueName: "file"))
    var output = ConfigurationOptions.defaultFile

    @Flag(help: "Replace a file that exists.")
    var force = false

    func run() async throws {
        let console = Console.current
        if output == "-" { return console.out(ConfigurationText.example) }
        guard force || !FileManager.default.fileExists(atPath: output) else {
            throw SluiceError(.file, "\(output) exists", remedy: "--force replaces it, --output names another file")
        }
        do {
            try FileBytes.replace(output, with: Array(ConfigurationText.example.utf8))
        } catch {
            throw SluiceError(
                .file, "\(output) cannot be written", remedy: "does the folder exist, and may it be written to?")
        }
        console.line("wrote \(output)")
        console.line("next: fill in kafka, input and output, then 'sluice config check'")
    }
}
