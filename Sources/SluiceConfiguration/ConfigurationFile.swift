internal import SluiceCore

/// The file of a configuration: a mapping of settings and of sections, which are mappings of settings.
struct ConfigurationFile {
    /// As it was named, for messages.
    let name: String
    let problems: [ConfigurationProblem]
    private let members: [RawNode.Member]

    init(name: String, text: String) {
        self.name = name
        do throws(Mismatch) {
            let root = try RawNode.parse(text)
            switch root.content {
            case .null: (members, problems) = ([], [])
            case .mapping(let members): (self.members, problems) = (members, [])
            default: throw Mismatch("expected settings such as application: pumps, not \(root.description)", line: 1)
            }
        } catch {
            members = []
            problems = [
                ConfigurationProblem(origin: .file(name: name, line: error.line ?? 1), path: "", message: error.message)
            ]
        }
    }

    /// The line and value of a setting such as `workers` or `model.hidden`.
    func setting(_ path: String) -> (line: Int, node: RawNode)? {
        let parts = path.split(separator: ".", maxSplits: 1).map(String.init)
        let found =
            parts.count == 1
            ? members.first { $0.key == path } : section(parts[0]).first { $0.key == parts[1] }
        return found.map { ($0.line, $0.value) }
    }

    func section(_ name: String) -> [RawNode.Member] {
        guard let member = members.first(where: { $0.key == name }), case .mapping(let settings) = member.value.content
        else { return [] }
        return settings
    }

    func line(ofTopLevel key: String) -> Int? { members.first { $0.key == key }?.line }

    /// Problems of keys that are no setting, and of sections that are no mapping.
    func unknown(known: Set<String>, sections: Set<String>) -> [ConfigurationProblem] {
        var result: [ConfigurationProblem] = []
        func report(_ key: String, _ line: Int, _ message: String) {
            result.append(ConfigurationProblem(origin: .file(name: name, line: line), path: key, message: message))
        }
        for member in members where !known.contains(member.key) {
            guard sections.contains(member.key) else {
                let topLevel = known.filter { !$0.contains(".") }.union(sections)
                report(member.key, member.line, "unknown key" + hint(member.key, near: topLevel, known: known))
                continue
            }
            switch member.value.content {
            case .null: break
            case .mapping(let settings):
                let prefix = member.key + "."
                let siblings = Set(known.filter { $0.hasPrefix(prefix) }.map { String($0.dropFirst(prefix.count)) })
                for setting in settings where !known.contains(prefix + setting.key) {
                    let message = "unknown key" + hint(setting.key, near: siblings, known: known)
                    report(prefix + setting.key, setting.line, message)
                }
            default:
                report(member.key, member.line, "expected settings under it, not \(member.value.description)")
            }
        }
        return result
    }

    /// The nearest sibling, or else the place where a key of that very name belongs.
    private func hint(_ key: String, near siblings: Set<String>, known: Set<String>) -> String {
        let elsewhere = known.filter { $0.hasSuffix("." + key) && !$0.hasPrefix("kafka.") }.min()
        if let elsewhere { return "; did you mean \"\(elsewhere)\"?" }
        return Suggestion.text(for: key, among: siblings)
    }
}
