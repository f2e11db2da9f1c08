internal import ArgumentParser
internal import SluiceConfiguration

/// Where a command's settings come from.
struct ConfigurationOptions: ParsableArguments {
    static let defaultFile = "sluice.yaml"

    @Option(
        name: .shortAndLong,
        help: ArgumentHelp("The configuration. (default: \(ConfigurationOptions.defaultFile))", valueName: "file"))
    var config: String?

    @OptionGroup var settings: SettingOptions

    /// - Parameter isServed: the access tokens are checked, too.
    func load(isServed: Bool = false) throws -> LoadedConfiguration {
        try SettingOptions.load(config ?? Self.defaultFile, flags: settings.flags(), isServed: isServed)
    }
}

/// `--set path=value`.
struct SettingOptions: ParsableArguments {
    @Option(
        name: .customLong("set"),
        help: ArgumentHelp(
            "A setting over file and environment, such as model.hidden=32; repeatable.", valueName: "path=value"))
    var assignments: [String] = []

    func validate() throws { _ = try flags() }

    func flags() throws -> [(path: String, value: String)] {
        try assignments.map { text in
            guard let equals = text.firstIndex(of: "="), equals != text.startIndex else {
                throw ValidationError("--set '\(text)' is not path=value such as model.hidden=32")
            }
            return (String(text[..<equals]), String(text[text.index(after: equals)...]))
        }
    }

    /// Throws wrong usage if nothing but flags is wrong, else all problems as one error.
    ///
    /// - Parameter fallbacks: for settings that are required but that the command can do without.
    static func load(
        _ file: String?, flags: [(path: String, value: String)], fallbacks: [String: String] = [:],
        isServed: Bool = false
    ) throws -> LoadedConfiguration {
        do {
            return try Configuration.load(
                path: file, environment: Console.current.environment, flags: flags, fallbacks: fallbacks,
                isServed: isServed)
        } catch {
            if error.problems.allSatisfy({ $0.origin == .flag }) { throw ValidationError("\(error)") }
            throw error.asError
        }
    }
}
