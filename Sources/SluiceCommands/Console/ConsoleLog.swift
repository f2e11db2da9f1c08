internal import ArgumentParser
internal import Logging
internal import SluiceCore
internal import SluiceService

/// The flag of every command that logs.
struct LogOptions: ParsableArguments {
    @Option(
        help: """
            Least level that is logged to stderr: \(LogOptions.levels); else SLUICE_LOG, else info (demo and bench: \
            error).
            """)
    var logLevel: String?

    static let variable = "SLUICE_LOG"
    private static let levels = Logger.Level.allCases.map(\.rawValue).joined(separator: ", ")

    func validate() throws {
        if let logLevel { _ = try Self.level(logLevel, "--log-level") }
    }

    /// - Parameter standard: the level without flag and variable.
    func logger(default standard: Logger.Level = .info) throws -> Logger {
        let console = Console.current
        let level =
            if let logLevel {
                try Self.level(logLevel, "--log-level")
            } else if let text = console.environment[Self.variable], !text.isEmpty {
                try Self.level(text, Self.variable)
            } else {
                standard
            }
        var logger = Logger(label: "sluice") { _ in ConsoleLog(console: console) }
        logger.logLevel = level
        return logger
    }

    private static func level(_ text: String, _ name: String) throws -> Logger.Level {
        guard let level = Logger.Level(rawValue: text.lowercased()) else {
            throw ValidationError("\(name) '\(text)' is not one of \(levels)")
        }
        return level
    }
}

/// Writes `time level message key=value …`, one line an event, keys in order. Texts of others cannot break a line.
struct ConsoleLog: LogHandler {
    let console: Console
    var clock: @Sendable () -> Int64 = { SystemClock().wallMilliseconds() }
    var metadata: Logger.Metadata = [:]
    var logLevel = Logger.Level.info

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        var all = metadata.merging(event.metadata ?? [:]) { $1 }
        if let error = event.error { all["error"] = "\(error)" }
        let pairs = all.sorted { $0.key < $1.key }.map { " \($0.key)=\(Self.quoted("\($0.value)"))" }.joined()
        console.errorLine("\(Timestamp.text(clock())) \(event.level) \("\(event.message)".printable)\(pairs)")
    }

    /// In quotes where a space or a quote would make it ambiguous.
    private static func quoted(_ value: String) -> String {
        let text = value.printable
        guard text.isEmpty || text.contains(where: { " \"=".contains($0) }) else { return text }
        return "\"" + text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"") + "\""
    }
}
