internal import SluiceCore

/// The places settings come from: flags over variables over the file over a command's fallbacks.
struct SettingsLayers {
    struct Located {
        let node: RawNode
        let provenance: Provenance
    }

    private let file: ConfigurationFile?
    private var environment: [String: String]
    private var flags: [(path: String, value: String)]
    private let fallbacks: [String: String]
    /// What was wrong before any setting was read.
    let problems: [ConfigurationProblem]

    init(
        file: ConfigurationFile?, environment: [String: String], flags: [(path: String, value: String)],
        fallbacks: [String: String]
    ) {
        self.fallbacks = fallbacks
        self.file = file
        self.environment = environment.filter { EnvironmentName.isSetting($0.key) }
        self.flags = flags
        self.problems = file?.problems ?? []
    }

    /// The highest layer's value of a setting, nil where none has it; a null is none.
    mutating func take(_ path: String, isScalar: Bool, _ problems: inout [ConfigurationProblem]) -> Located? {
        let variable = EnvironmentName.of(path)
        let fromEnvironment = environment.removeValue(forKey: variable)
        let fromFlag = flags.last { $0.path == path }?.value
        flags.removeAll { $0.path == path }
        if let text = fromFlag { return located(text, isScalar, path, .flag, &problems) }
        if let text = fromEnvironment {
            return located(text, isScalar, path, .environment(variable: variable), &problems)
        }
        if let (line, node) = file?.setting(path), !node.isNull {
            return Located(node: node, provenance: .file(name: file?.name ?? "", line: line))
        }
        return fallbacks[path].flatMap { located($0, isScalar, path, .default, &problems) }
    }

    /// The keys of a free mapping: the file's in its order, then those that only variables or flags have, by name.
    mutating func properties(
        _ section: String, _ problems: inout [ConfigurationProblem]
    ) -> [(key: String, located: Located)] {
        var found = (file?.section(section) ?? []).filter { !$0.value.isNull }.map { member in
            let provenance = Provenance.file(name: file?.name ?? "", line: member.line)
            return (key: member.key, located: Located(node: member.value, provenance: provenance))
        }
        func put(_ key: String, _ text: String, _ provenance: Provenance) {
            let located = Located(node: RawNode(content: .scalar(text), line: 0), provenance: provenance)
            if let index = found.firstIndex(where: { $0.key == key }) {
                found[index].located = located
            } else {
                found.append((key, located))
            }
        }
        let prefix = EnvironmentName.of(section) + EnvironmentName.separator
        for (variable, text) in environment.filter({ $0.key.hasPrefix(prefix) }).sorted(by: { $0.key < $1.key }) {
            environment.removeValue(forKey: variable)
            let key = variable.dropFirst(prefix.count).lowercased().replacing("_", with: ".")
            put(key, text, .environment(variable: variable))
        }
        for flag in flags where flag.path.hasPrefix(section + ".") {
            put(String(flag.path.dropFirst(section.count + 1)), flag.value, .flag)
        }
        flags.removeAll { $0.path.hasPrefix(section + ".") }
        for (path, text) in fallbacks.sorted(by: { $0.key < $1.key }) where path.hasPrefix(section + ".") {
            let key = String(path.dropFirst(section.count + 1))
            if !found.contains(where: { $0.key == key }) { put(key, text, .default) }
        }
        return found
    }

    /// Where to point at for a setting that is nowhere: its section in the file, else the file's first line.
    func origin(ofMissing path: String) -> Provenance {
        guard let file else { return .default }
        let section = path.split(separator: ".", maxSplits: 1)
        let line = section.count > 1 ? file.line(ofTopLevel: String(section[0])) : nil
        return .file(name: file.name, line: line ?? 1)
    }

    /// Problems of all keys, variables and flags that no setting took.
    func unknown(known: Set<String>, sections: Set<String>) -> [ConfigurationProblem] {
        var result = file?.unknown(known: known, sections: sections) ?? []
        for variable in environment.keys.sorted() {
            let names = known.map(EnvironmentName.of)
            result.append(
                ConfigurationProblem(
                    origin: .environment(variable: variable), path: "",
                    message: "no setting has this variable" + Suggestion.text(for: variable, among: names)))
        }
        for flag in flags {
            result.append(
                ConfigurationProblem(
                    origin: .flag, path: flag.path,
                    message: "unknown setting" + Suggestion.text(for: flag.path, among: known)))
        }
        return result
    }

    private func located(
        _ text: String, _ isScalar: Bool, _ path: String, _ provenance: Provenance,
        _ problems: inout [ConfigurationProblem]
    ) -> Located? {
        if isScalar { return Located(node: RawNode(content: .scalar(text), line: 0), provenance: provenance) }
        let isBracketed = text.first == "[" || text.first == "{"
        do throws(Mismatch) {
            let node = try RawNode.parse(isBracketed ? text : "[\(text)]")
            return Located(node: node, provenance: provenance)
        } catch {
            problems.append(ConfigurationProblem(origin: provenance, path: path, message: error.message))
            return nil
        }
    }
}
