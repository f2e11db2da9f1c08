import Testing

/// Words that have no place in the code.
@Suite struct WordTests {
    private let tree = SourceTree.repository

    /// Built from halves, or this file would break its own rules.
    private static let leftovers = ["TO" + "DO", "FIX" + "ME", "XX" + "X"]
    private static let traps = ["try" + "!", "as" + "!", "fatalError" + "("]
    private static let printing = ["print(", "debugPrint(", "dump(", "putchar(", "puts("]
    private static let unchecked = ["@unchecked Sendable", "nonisolated(unsafe)"]
    private static let machinePaths = ["work", "root", "home"].map { "/" + $0 }
    private static let registries = [
        "pypi." + "org", "pythonhosted." + "org", "npmjs." + "org", "npmjs." + "com", "crates." + "io",
        "proxy.golang." + "org", "deb.debian." + "org", "archive.ubuntu." + "com", "rubygems." + "org",
        "repo1.maven." + "org", "repo.maven.apache." + "org", "swiftpackageindex." + "com",
    ]

    @Test func nothingIsLeftUndone() {
        for file in tree.files {
            for found in Self.find(Self.leftovers, in: Array(file.text.utf8)) { Issue.record("\(file.path):\(found)") }
        }
    }

    @Test func nothingTrapsOnPurpose() {
        for file in tree.swift(tests: true) {
            for found in Self.find(Self.traps, in: file.code) { Issue.record("\(file.path):\(found)") }
        }
    }

    @Test func onlyTheCommandLinePrints() {
        for file in tree.swift(tests: false)
        where !["SluiceCommands", "sluice", "sluice-simulate"].contains(file.module) {
            for found in Self.find(Self.printing, in: file.code) { Issue.record("\(file.path):\(found)") }
        }
    }

    @Test func uncheckedPromisesSayWhy() {
        for file in tree.swift(tests: true) {
            for line in Self.unexplained(file.text, file.code) { Issue.record("\(file.path):\(line) does not say why") }
        }
    }

    @Test func noMachineIsNamed() {
        for file in tree.files {
            for found in Self.machines(file.text) { Issue.record("\(file.path):\(found)") }
        }
    }

    // MARK: - Searching

    /// `line: word` for each of the words found.
    static func find(_ words: [String], in code: [UInt8]) -> [String] {
        words.flatMap { word in
            SwiftCode.occurrences(of: word, in: code).map { "\(SwiftCode.line(of: $0, in: code)): \(word)" }
        }
    }

    /// Lines that promise what the compiler cannot check without a comment beside or above.
    static func unexplained(_ text: String, _ code: [UInt8]) -> [Int] {
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        return unchecked.flatMap { SwiftCode.occurrences(of: $0, in: code) }.map { SwiftCode.line(of: $0, in: code) }
            .filter { line in
                // Attributes may stand between the comment and the declaration.
                let above = lines[..<(line - 1)].map { $0.drop { $0 == " " } }.last { $0.first != "@" } ?? ""
                return !lines[line - 1].contains("//") && !above.hasPrefix("//") && !above.hasSuffix("*/")
            }
    }

    /// Registries of packages, and absolute paths of the machine it was written on.
    static func machines(_ text: String) -> [String] {
        let bytes = Array(text.utf8)
        let paths = machinePaths.flatMap { path in
            SwiftCode.occurrences(of: path, in: bytes).filter { !isWithinPath($0, bytes) }
                .map { "\(SwiftCode.line(of: $0, in: bytes)): \(path)" }
        }
        return find(registries, in: bytes) + paths
    }

    /// Whether something stands before the slash, as in `a/home`, `~/home` or a URL: then it is no absolute path.
    private static func isWithinPath(_ slash: Int, _ bytes: [UInt8]) -> Bool {
        guard slash > 0 else { return false }
        let before = Character(UnicodeScalar(bytes[slash - 1]))
        return before.isLetter || before.isNumber || "._-~/})<".contains(before)
    }

    // MARK: - These tests can fail

    @Test func badWordsAreFoundInCodeAndNotInTexts() {
        let text = """
            let a = try! b() as! C // try! as! fatalError(
            let s = "try! \\(f("as!")) fatalError(" + #"fatalError("\\#(1)"# /* print( /* print( */ print( */
            fatalError("x")
            print("x")
            x.blueprint("x")
            """
        let code = SwiftCode.blanked(text)
        #expect(Self.find(Self.traps, in: code) == ["1: try!", "1: as!", "3: fatalError("])
        #expect(Self.find(Self.printing, in: code) == ["4: print("])
        let multiline = "let t = \"\"\"\n  try! \"quoted\" \n  \"\"\"\ntry! x()"
        #expect(Self.find(Self.traps, in: SwiftCode.blanked(multiline)) == ["4: try!"])
    }

    @Test func leftoversAreFoundInComments() {
        let text = "// " + Self.leftovers[0] + ": later\nlet MASTODON = 1"
        #expect(Self.find(Self.leftovers, in: Array(text.utf8)) == ["1: " + Self.leftovers[0]])
    }

    @Test func unexplainedPromisesAreFound() {
        let text = """
            final class A: @unchecked Sendable {}
            // The lock guards all of it.
            final class B: @unchecked Sendable {}
            nonisolated(unsafe) var x = 0  // set before the first thread starts
            nonisolated(unsafe) var y = 0
            // Confined to one thread.
            @safe
            final class C: @unchecked Sendable {}
            """
        #expect(Self.unexplained(text, SwiftCode.blanked(text)).sorted() == [1, 5])
    }

    @Test func machinesAreFound() {
        let path = Self.machinePaths[0]
        #expect(Self.machines("see \(path)/x").count == 1)
        #expect(Self.machines("\"\(path)\"").count == 1)
        #expect(Self.machines("a\(path)/x and https://example.test\(path)/x and \(path)ing").isEmpty)
        #expect(Self.machines("see https://\(Self.registries[0])/x").count == 1)
    }
}
