internal import ArgumentParser
internal import Foundation
internal import SluiceCore

/// The first option that a command does not have, or command that there is not. The library names what is missing or
/// wrong among the others first, `train --dat x` would lack its --data, and has no guess at what is meant.
enum UnknownName {
    /// - Returns: what is to be said of it; nil if all are known.
    static func message(in arguments: [String]) -> String? {
        guard let tool = try? JSONDecoder().decode(Tool.self, from: Data(Sluice._dumpHelp().utf8)) else { return nil }
        var command = tool.command
        var names = command.names
        for argument in arguments {
            if argument == "--" { return nil }
            if argument.hasPrefix("--") {
                let name = String(argument.dropFirst(2).prefix { $0 != "=" })
                if names.contains(name) || Self.everywhere.contains(name) { continue }
                let nearest = Suggestion.nearest(to: name, among: names)
                return "Unknown option '--\(name)'\(nearest.map { ". Did you mean '--\($0)'?" } ?? "")"
            }
            if argument.hasPrefix("-") || argument == "help" { continue }
            if let next = command.subcommands?.first(where: { $0.commandName == argument }) {
                command = next
                names.formUnion(next.names)
            } else if let commands = command.subcommands, command.names.isSubset(of: Self.everywhere) {
                let nearest = Suggestion.nearest(to: argument, among: commands.map(\.commandName))
                return "Unknown command '\(argument)'\(nearest.map { ". Did you mean '\($0)'?" } ?? "")"
            }
        }
        return nil
    }

    private static let everywhere: Set = [
        "help", "help-hidden", "version", "experimental-dump-help", "generate-completion-script",
    ]

    /// What the library says of itself, as far as it is needed.
    private struct Tool: Decodable {
        let command: Command
    }

    private struct Command: Decodable {
        let commandName: String
        let subcommands: [Command]?
        let arguments: [Argument]?

        /// The long ones.
        var names: Set<String> {
            Set((arguments ?? []).flatMap { $0.names ?? [] }.filter { $0.kind == "long" }.map(\.name))
        }
    }

    private struct Argument: Decodable {
        struct Name: Decodable {
            let kind: String
            let name: String
        }

        let names: [Name]?
    }
}
