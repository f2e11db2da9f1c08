internal import Foundation
internal import SluiceAccess

extension Configuration {
    /// Loads a configuration: the file, over it variables, over these flags.
    ///
    /// - Parameters:
    ///   - path: the file, or nil for none. It must exist.
    ///   - environment: all variables of the process; those of other programs are passed over.
    ///   - flags: settings by path, such as `("train.carry", "per-batch")`; of two for one path the last counts.
    ///   - fallbacks: settings by path for a command that can do without what is required otherwise; they count as
    ///     defaults.
    ///   - isServed: somebody will listen on `admin.listen`: its access tokens are checked, too.
    /// - Throws: everything that is wrong, at once.
    package static func load(
        path: String?, environment: [String: String], flags: [(path: String, value: String)] = [],
        fallbacks: [String: String] = [:], isServed: Bool = false
    ) throws(ConfigurationProblems) -> LoadedConfiguration {
        var file: ConfigurationFile?
        if let path { file = ConfigurationFile(name: path, text: try read(path)) }
        let layers = SettingsLayers(file: file, environment: environment, flags: flags, fallbacks: fallbacks)
        return try load(file, layers, tokenCount: isServed ? { try TokenFile.read($0)?.tokens.count ?? 0 } : nil)
    }

    /// The same with the file's text at hand; `name` stands for it in messages.
    package static func load(
        text: String, name: String = "sluice.yaml", environment: [String: String] = [:],
        flags: [(path: String, value: String)] = [], fallbacks: [String: String] = [:],
        tokenCount: @escaping TokenCount = { _ in 0 }
    ) throws(ConfigurationProblems) -> LoadedConfiguration {
        let file = ConfigurationFile(name: name, text: text)
        let layers = SettingsLayers(file: file, environment: environment, flags: flags, fallbacks: fallbacks)
        return try load(file, layers, tokenCount: tokenCount)
    }

    private static func load(
        _ file: ConfigurationFile?, _ layers: SettingsLayers, tokenCount: TokenCount?
    ) throws(ConfigurationProblems) -> LoadedConfiguration {
        // What cannot be read as YAML says nothing about its settings.
        if let file, !file.problems.isEmpty { throw ConfigurationProblems(problems: file.problems) }
        var reader = SettingsReader(layers)
        let configuration = Configuration(&reader, tokenCount: tokenCount)
        reader.reportUnknown()
        guard reader.problems.isEmpty else {
            // Sorting by line keeps the order of discovery within a line.
            let ordered = reader.problems.enumerated().sorted {
                ($0.element.origin.order.0, $0.element.origin.order.1, $0.offset)
                    < ($1.element.origin.order.0, $1.element.origin.order.1, $1.offset)
            }
            throw ConfigurationProblems(problems: ordered.map(\.element))
        }
        return LoadedConfiguration(configuration: configuration, settings: reader.entries)
    }

    /// A configuration is a page of text; a larger file is something else.
    private static let fileBytesMax = 1 << 20

    private static func read(_ path: String) throws(ConfigurationProblems) -> String {
        func problem(_ message: String) -> ConfigurationProblems {
            ConfigurationProblems(problems: [
                ConfigurationProblem(origin: .file(name: path, line: 1), path: "", message: message)
            ])
        }
        guard FileManager.default.fileExists(atPath: path) else {
            throw problem("there is no such file; \"sluice config init\" writes a first one")
        }
        guard let data = FileManager.default.contents(atPath: path) else { throw problem("cannot be read") }
        guard data.count <= fileBytesMax else { throw problem("is larger than \(fileBytesMax) bytes") }
        guard let text = String(data: data, encoding: .utf8) else { throw problem("is not UTF-8") }
        return text
    }
}
