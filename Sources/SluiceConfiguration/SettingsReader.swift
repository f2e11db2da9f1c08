/// Reads settings one by one, each from the highest layer that has it (flag, variable, file, default), and records what
/// it met: the effective values with their provenance, and every problem.
///
/// A setting that is missing or wrong yields its default, so that reading goes on and all problems are found at once.
struct SettingsReader {
    /// An effective value.
    struct Entry {
        let path: String
        let value: ConfigurationValue
        let provenance: Provenance
    }

    private(set) var entries: [Entry] = []
    private(set) var problems: [ConfigurationProblem] = []
    private var knownSections: Set<String> = []
    /// Settings with problems: checks between settings leave them out, lest one mistake be reported twice.
    private var unsound: Set<String> = []
    private var provenances: [String: Provenance] = [:]
    private var layers: SettingsLayers

    init(_ layers: SettingsLayers) {
        self.layers = layers
        self.problems = layers.problems
    }

    /// The value of one setting.
    mutating func read<Value>(_ path: String, _ kind: SettingKind<Value>, default fallback: Value) -> Value {
        readIfPresent(path, kind) ?? record(path, fallback, kind, .default)
    }

    /// The value of a setting without a default; `placeholder` stands in when it is missing, which is a problem.
    mutating func read<Value>(_ path: String, _ kind: SettingKind<Value>, required placeholder: Value) -> Value {
        if let value = readIfPresent(path, kind) { return value }
        if isSound(path) { report(path, "is missing") }
        return record(path, placeholder, kind, .default)
    }

    /// The value of a setting that is off by default.
    mutating func read<Value>(_ path: String, optional kind: SettingKind<Value>) -> Value? {
        read(path, kind.optional(), default: nil)
    }

    mutating func read<Value>(_ path: String, listOf kind: SettingKind<Value>, default fallback: [Value]) -> [Value] {
        read(path, kind.list(), default: fallback)
    }

    /// A mapping of free keys, each overridden by itself (`kafka`).
    mutating func readProperties(_ section: String) -> [String: String] {
        knownSections.insert(section)
        var values: [String: String] = [:]
        for (key, located) in layers.properties(section, &problems) {
            let path = "\(section).\(key)"
            provenances[path] = located.provenance
            guard case .scalar(let text) = located.node.content else {
                report(path, "expected a text or a number, not \(located.node.description)")
                continue
            }
            values[key] = text
            entries.append(Entry(path: path, value: .text(text), provenance: located.provenance))
        }
        return values
    }

    private mutating func readIfPresent<Value>(_ path: String, _ kind: SettingKind<Value>) -> Value? {
        if let dot = path.firstIndex(of: ".") { knownSections.insert(String(path[..<dot])) }
        guard let located = layers.take(path, isScalar: kind.isScalar, &problems) else {
            provenances[path] = .default
            return nil
        }
        provenances[path] = located.provenance
        var mismatches: [Mismatch] = []
        let value = kind.parse(located.node, &mismatches)
        for mismatch in mismatches { report(path, mismatch) }
        return value.map { record(path, $0, kind, located.provenance) }
    }

    @discardableResult
    private mutating func record<Value>(
        _ path: String, _ value: Value, _ kind: SettingKind<Value>, _ provenance: Provenance
    ) -> Value {
        entries.append(Entry(path: path, value: kind.render(value), provenance: provenance))
        return value
    }
}

// MARK: - Problems

extension SettingsReader {
    /// Whether no problem with that setting is known.
    func isSound(_ path: String) -> Bool { !unsound.contains(path) }

    /// Whether the setting was given, not defaulted.
    func isGiven(_ path: String) -> Bool { provenances[path].map { $0 != .default } ?? false }

    /// Whether it was given on the command line, where what has no effect is a mistake: a file may spell out all.
    func isFlag(_ path: String) -> Bool { provenances[path] == .flag }

    mutating func report(_ path: String, _ message: String) { report(path, Mismatch(message)) }

    private mutating func report(_ path: String, _ mismatch: Mismatch) {
        unsound.insert(path)
        let origin =
            switch provenances[path] ?? .default {
            case .default: layers.origin(ofMissing: path)
            case .file(let name, let line): Provenance.file(name: name, line: mismatch.line ?? line)
            case let given: given
            }
        problems.append(ConfigurationProblem(origin: origin, path: path, message: mismatch.message))
    }

    /// Reports what nothing has asked for. Call when all settings are read.
    mutating func reportUnknown() {
        let known = entries.map(\.path) + unsound
        problems += layers.unknown(known: Set(known), sections: knownSections)
    }
}
