internal import ArgumentParser
internal import Foundation
internal import SluiceCore

/// The way in from `main`: parses, runs, and gives the exit code of the contract: 0, 1 (failed) or 2 (usage).
package enum CommandLineEntry {
    /// What must be done before there are threads and files: one heap for each processor, which is a hundredth of the
    /// memory of a million streams; `MALLOC_ARENA_MAX` and `GLIBC_TUNABLES` in the environment take precedence.
    package static func prepare() {
        StandardOutput.reserveDescriptors()
        let (process, names) = (ProcessInfo.processInfo, ["MALLOC_ARENA_MAX", "GLIBC_TUNABLES"])
        guard names.allSatisfy({ process.environment[$0] == nil }) else { return }
        limitHeaps(to: process.activeProcessorCount)
    }

    /// - Parameter arguments: without the program's name.
    package static func run(_ arguments: [String]) async -> Int32 {
        let code = await result(of: arguments)
        guard code == 0, let failure = Console.current.outFailure() else { return code }
        return report(failure, from: nil)
    }

    private static func result(of arguments: [String]) async -> Int32 {
        var command: (any ParsableCommand)?
        do {
            let parsed = try await Sluice.asyncParseAsRoot(arguments)
            command = parsed
            if var command = parsed as? any AsyncParsableCommand {
                try await command.run()
            } else {
                var command = parsed
                try command.run()
            }
            return 0
        } catch {
            guard command == nil, Sluice.exitCode(for: error) == .validationFailure else {
                return report(error, from: command)
            }
            if let problem = BenchPlot.problem(in: arguments) {
                Console.current.errorLine("error: \(problem.message)\n\(usage(of: problem.command))")
                return 2
            }
            if let message = UnknownName.message(in: arguments) {
                Console.current.errorLine("error: \(message)\n\(usage(after: Sluice.fullMessage(for: error)))")
                return 2
            }
            return report(error, from: nil)
        }
    }

    /// What the library writes below its own message.
    private static func usage(after text: String) -> Substring {
        text.range(of: "Usage: ").map { text[$0.lowerBound...] } ?? ""
    }

    /// - Parameter command: nil while the arguments were read.
    private static func report(_ error: any Error, from command: (any ParsableCommand)?) -> Int32 {
        let console = Console.current
        // Of what was found out only as it ran the library would show the usage of the root.
        if let command, let error = error as? ValidationError {
            console.errorLine("error: \(error.message)\n\(usage(of: type(of: command)))")
            return 2
        }
        switch error {
        case let error as SluiceError:
            console.errorLine("error: \(error)")
            return 1
        case is CancellationError:
            console.errorLine("error: \(SluiceError(.interrupted, "interrupted"))")
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

    /// As the library writes it for arguments that it refuses itself.
    private static func usage(of command: any ParsableCommand.Type) -> String {
        let usage = Sluice.usageString(for: command)
        // The names of the commands come first.
        let names = usage.split(separator: " ").prefix { $0.first?.isLetter == true }.joined(separator: " ")
        return "Usage: \(usage)\n  See '\(names) --help' for more information."
    }
}
