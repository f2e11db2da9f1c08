/// A configuration that is in force, and where each of its values came from.
package struct LoadedConfiguration: Sendable {
    /// One setting as `config show` prints it. Secrets are masked.
    package struct Setting: Sendable, Equatable {
        /// Such as `model.hidden`.
        package let path: String
        package let value: ConfigurationValue
        package let provenance: Provenance
    }

    package let configuration: Configuration
    /// In the order of the documentation, secrets included.
    private let inForce: [Setting]

    init(configuration: Configuration, settings: [SettingsReader.Entry]) {
        self.configuration = configuration
        inForce = settings.map { Setting(path: $0.path, value: $0.value, provenance: $0.provenance) }
    }

    /// In the order of the documentation.
    package var settings: [Setting] {
        inForce.map {
            Setting(path: $0.path, value: Self.masked($0.path, $0.value), provenance: $0.provenance)
        }
    }

    /// Whether a setting was given, not defaulted.
    package func isGiven(_ path: String) -> Bool {
        inForce.contains { $0.path == path && $0.provenance != .default }
    }

    private static func masked(_ path: String, _ value: ConfigurationValue) -> ConfigurationValue {
        guard path.hasPrefix("kafka."), isSecret(path) else { return value }
        return .text("********")
    }

    /// Passwords, keys and OAuth secrets among librdkafka's properties, those to come included.
    private static func isSecret(_ property: String) -> Bool {
        let words = ["password", "secret", "ssl.key.pem", "oauthbearer.config", "jaas.config", "token"]
        let isAddress = property.hasSuffix(".url")
        return !isAddress && words.contains { property.contains($0) }
    }
}

// MARK: - Printed forms

extension LoadedConfiguration {
    /// The effective configuration as a `sluice.yaml`, each value with a comment that says where it came from.
    package var yaml: String { Self.yaml(settings) }

    /// The same with passwords and keys as they are: for files that only their owner may read.
    package var yamlWithSecrets: String { Self.yaml(inForce) }

    private static func yaml(_ settings: [Setting]) -> String {
        var lines: [(text: String, comment: String)] = []
        var section = ""
        for setting in settings {
            let (own, name) = split(setting.path)
            if own != section, !own.isEmpty { lines.append(("\(own):", "")) }
            section = own
            let indentation = own.isEmpty ? "" : "  "
            func pair(_ key: String, _ value: ConfigurationValue, _ indentation: String) -> String {
                indentation + ConfigurationValue.pair(key, value.yaml, separator: "\n" + indentation)
            }
            if case .mapping(let members) = setting.value {
                let key = ConfigurationValue.plainOrQuoted(name)
                lines.append(("\(indentation)\(key):", setting.provenance.description))
                lines += members.map { (pair($0.key, $0.value, indentation + "  "), "") }
            } else {
                lines.append((pair(name, setting.value, indentation), setting.provenance.description))
            }
        }
        // Comments stand in one column, except behind lines that are far longer than the rest.
        let column = min(48, lines.map(\.text.count).max() ?? 0)
        return lines.map { text, comment in
            let padding = String(repeating: " ", count: max(0, column - text.count))
            return comment.isEmpty ? "\(text)\n" : "\(text)\(padding)  # \(comment)\n"
        }.joined()
    }

    /// `{"configuration": {…}, "sources": {"model.hidden": "sluice.yaml:12", …}}` on one line.
    package var json: String {
        var members: [ConfigurationValue.Member] = []
        var grouped: [ConfigurationValue.Member] = []
        for (index, setting) in settings.enumerated() {
            let (section, name) = Self.split(setting.path)
            let member = ConfigurationValue.Member(key: name, value: setting.value)
            guard !section.isEmpty else {
                members.append(member)
                continue
            }
            grouped.append(member)
            let isLast = index + 1 == settings.count || Self.split(settings[index + 1].path).section != section
            if isLast {
                members.append(.init(key: section, value: .mapping(grouped)))
                grouped = []
            }
        }
        let sources = settings.map {
            ConfigurationValue.Member(key: $0.path, value: .text($0.provenance.description))
        }
        return ConfigurationValue.mapping([
            .init(key: "configuration", value: .mapping(members)), .init(key: "sources", value: .mapping(sources)),
        ]).json
    }

    private static func split(_ path: String) -> (section: String, name: String) {
        guard let dot = path.firstIndex(of: ".") else { return ("", path) }
        return (String(path[..<dot]), String(path[path.index(after: dot)...]))
    }
}
