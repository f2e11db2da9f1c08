internal import SluiceCore
internal import Yams

/// A piece of YAML before it is given a type: what a file, a variable or a flag said, with the line where the file
/// said it.
struct RawNode {
    indirect enum Content {
        case null
        case scalar(String)
        case list([RawNode])
        /// In the order of the file: the order of features is the order of the model's inputs.
        case mapping([Member])
    }

    /// A key with its line, and what stands under it.
    struct Member {
        let key: String
        let line: Int
        let value: RawNode
    }

    let content: Content
    /// From 1; 0 where there is no file.
    let line: Int

    var isNull: Bool { if case .null = content { true } else { false } }

    /// What it is, for the message that says what it should have been.
    var description: String {
        switch content {
        case .null: "nothing"
        case .scalar(let text): "\"\(text)\""
        case .list: "a list"
        case .mapping: "a mapping"
        }
    }
}

extension RawNode {
    /// Parses YAML text. Throws one problem without a path: bad syntax, duplicate keys.
    static func parse(_ text: String) throws(Mismatch) -> RawNode {
        do {
            guard let node = try Yams.compose(yaml: text) else { return RawNode(content: .null, line: 1) }
            return RawNode(node)
        } catch let error as YamlError {
            throw Mismatch(error, text: text)
        } catch {
            throw Mismatch("not YAML: \(error)", line: 1)
        }
    }

    private init(_ node: Node) {
        line = node.mark?.line ?? 0
        switch node {
        case .scalar(let scalar):
            let isNull = scalar.style == .plain && ["", "~", "null"].contains(scalar.string)
            content = isNull ? .null : .scalar(scalar.string)
        case .sequence(let sequence):
            content = .list(sequence.map(RawNode.init))
        case .mapping(let mapping):
            content = .mapping(
                mapping.map { key, value in
                    Member(key: key.scalar?.string ?? "", line: key.mark?.line ?? 0, value: RawNode(value))
                })
        case .alias(let alias):
            content = .scalar("*\(alias.anchor.rawValue)")
        }
    }
}

/// What is wrong with one value, before it is known where it came from.
struct Mismatch: Error {
    let message: String
    /// The line of the part that is wrong, where that is known better than by its key.
    let line: Int?

    init(_ message: String, line: Int? = nil) {
        self.message = message
        self.line = line == 0 ? nil : line
    }

    fileprivate init(_ error: YamlError, text: String) {
        switch error {
        case .scanner(let context, let problem, let mark, _), .parser(let context, let problem, let mark, _),
            .composer(let context, let problem, let mark, _):
            let context = context.map { "\($0.text): ".replacing("\n", with: " ") } ?? ""
            self.init("not YAML: \(context)\(problem)", line: mark.line)
        case .duplicatedKeysInMapping(let keys, let context):
            let first = context.mark
            let second = keys.first.flatMap { Self.repetition(of: $0, at: first, in: text) }
            let names = keys.map { "\"\($0)\"" }.joined(separator: ", ")
            let earlier = second == nil ? "" : ", first on line \(first.line)"
            self.init("duplicate key \(names)\(earlier)", line: second ?? first.line)
        default:
            self.init("not YAML: \(error)", line: 1)
        }
    }

    /// The line of the second `key:` of a block mapping whose first stands at `first`; nil in a flow mapping.
    private static func repetition(of key: String, at first: Mark, in text: String) -> Int? {
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        let indentation = String(repeating: " ", count: first.column - 1)
        for (index, line) in lines.enumerated().dropFirst(first.line) {
            if line.hasPrefix(indentation + key + ":") { return index + 1 }
        }
        return nil
    }
}
