internal import Foundation
internal import Glibc
internal import SluiceCore

/// The command line's surroundings: where text goes, whether a person is there, the environment. A value, so that
/// tests can put their own in its place.
struct Console: Sendable {
    var out: @Sendable (String) -> Void
    var outBytes: @Sendable ([UInt8]) -> Void = { standardOutput.write($0) }
    /// Why stdout did not take all; nil when it did.
    var outFailure: @Sendable () -> SluiceError? = { nil }
    var error: @Sendable (String) -> Void
    /// The next line typed, nil at the end of the input.
    var read: @Sendable () -> String?
    /// Whether stdout is a terminal.
    var isTerminal: Bool
    /// Whether somebody can be asked: stdin and stderr are terminals.
    var isInteractive: Bool
    var environment: [String: String]
    /// Whether stderr is a terminal, for progress.
    var isErrorTerminal = false
    /// How long work may take before its progress is shown.
    var progressAfter = Duration.seconds(2)
    /// How long at least from one checkpoint to the next.
    var checkpointEvery = Duration.seconds(2)

    /// That of the running command.
    @TaskLocal static var current = Console.process

    private static let standardOutput = StandardOutput()

    static let process = Console(
        out: { standardOutput.write(Array($0.utf8)) }, outFailure: { standardOutput.failure },
        error: { try? FileHandle.standardError.write(contentsOf: Data($0.utf8)) },
        read: { readLine() },
        isTerminal: isatty(STDOUT_FILENO) == 1,
        isInteractive: isatty(STDIN_FILENO) == 1 && isatty(STDERR_FILENO) == 1,
        environment: ProcessInfo.processInfo.environment,
        isErrorTerminal: isatty(STDERR_FILENO) == 1)

    func line(_ text: String) { out(text + "\n") }
    func errorLine(_ text: String) { error(text + "\n") }

    /// Asks for a yes; anything else is a no.
    func confirm(_ question: String) -> Bool {
        error("\(question) [y/N] ")
        return ["y", "yes"].contains((read() ?? "").trimmingCharacters(in: .whitespaces).lowercased())
    }
}
