package import SluiceCore

/// One thing that is wrong with a configuration.
package struct ConfigurationProblem: Sendable, Equatable {
    /// Where the offending value came from.
    package let origin: Provenance
    /// The setting, such as `model.hidden`; empty where the whole file is meant.
    package let path: String
    package let message: String
}

extension ConfigurationProblem: CustomStringConvertible {
    /// `file:line: setting: message`, as compilers write it; in place of `file:line` the variable's name or `flag`.
    package var description: String {
        path.isEmpty ? "\(origin): \(message)" : "\(origin): \(path): \(message)"
    }
}

/// Everything that is wrong with a configuration, in the order of the file, then variables, then flags.
package struct ConfigurationProblems: Error, Sendable, Equatable {
    package let problems: [ConfigurationProblem]

    /// As the one error of the package: one line per problem.
    package var asError: SluiceError {
        let count = problems.count == 1 ? "one problem" : "\(problems.count) problems"
        return SluiceError(.invalidConfiguration, "the configuration has \(count):\n\(self)")
    }
}

extension ConfigurationProblems: CustomStringConvertible {
    package var description: String { problems.map(\.description).joined(separator: "\n") }
}

/// Where a value came from.
package enum Provenance: Sendable, Equatable {
    case `default`
    case file(name: String, line: Int)
    case environment(variable: String)
    case flag
}

extension Provenance: CustomStringConvertible {
    package var description: String {
        switch self {
        case .default: "default"
        case .file(let name, let line): "\(name):\(line)"
        case .environment(let variable): variable
        case .flag: "flag"
        }
    }

    /// File lines in order, then defaults, variables, flags.
    var order: (Int, Int) {
        switch self {
        case .file(_, let line): (0, line)
        case .default: (1, 0)
        case .environment: (2, 0)
        case .flag: (3, 0)
        }
    }
}
