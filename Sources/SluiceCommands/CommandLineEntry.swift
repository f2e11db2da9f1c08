internal import ArgumentParser
internal import SluiceCore

/// The way in from `main`: parses, runs, and gives the exit code of the contract: 0, 1 (failed) or 2 (usage).
package enum CommandLineEntry {
    /// - Parameter arguments: without the program's name.
    package static func run(_ arguments: [String]) async -> Int32 {
        do {
            let command = try await Sluice.asyncParseAsRoot(arguments)
            if var command = command as? any AsyncParsableCommand {
                try await command.run()
            } else {
                var command = command
                try command.run()
            }
            return 0
        } catch {
            return report(error)
        }
    }

    private static func report(_ error: any Error) -> Int32 {
        let console = Console.current
        switch error {
        case let error as SluiceError:
            console.errorLine("error: \(error)")
            return 1
        case let code as ExitCode:
            return code.rawValue
        default:
            let text = Sluice.fullMessage(for: error)
            switch Sluice.exitCode(for: error) {
            case .success:
                console.line(text)
                return 0
            case .validationFailure:
                console.errorLine(text)
                return 2
            default:
                console.errorLine(text)
                return 1
            }
        }
    }
}
