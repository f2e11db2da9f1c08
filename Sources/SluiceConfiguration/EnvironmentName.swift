/// Names of environment variables: `SLUICE_` and the path in capitals, `__` between levels.
package enum EnvironmentName {
    static let prefix = "SLUICE_"
    static let separator = "__"

    /// Variables of that prefix which are no settings: the client's address and token, the log's level, and switches of
    /// the tests.
    package static let reserved: Set<String> = ["SLUICE_URL", "SLUICE_TOKEN", "SLUICE_LOG", "SLUICE_EXHAUSTIVE"]
    static let reservedPrefix = "SLUICE_TEST_"
    /// What Kubernetes sets for a Service that is named `sluice`: no setting begins so.
    private static let serviceLinks = ["SLUICE_SERVICE_", "SLUICE_PORT_"]

    static func of(_ path: String) -> String { prefix + path.uppercased().replacing(".", with: separator) }

    /// Whether a variable is read as a setting.
    package static func isSetting(_ variable: String) -> Bool {
        variable.hasPrefix(prefix) && !reserved.contains(variable) && !variable.hasPrefix(reservedPrefix)
            && variable != "SLUICE_PORT" && !serviceLinks.contains { variable.hasPrefix($0) }
    }
}
