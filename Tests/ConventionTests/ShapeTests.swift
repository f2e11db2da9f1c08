import Testing

/// Sizes of files, functions and lines.
@Suite struct ShapeTests {
    static let fileLinesMax = 400
    static let medianLinesMax = 200
    static let functionLinesMax = 70
    static let columnsMax = 120

    private let tree = SourceTree.repository

    private var code: [SourceTree.File] {
        tree.swift(tests: true)
            + tree.files.filter { $0.isC && ($0.path.hasPrefix("Sources/") || $0.path.hasPrefix("Tests/")) }
    }

    @Test func filesAreShort() {
        #expect(code.count > 30, "the sources are not where they are looked for")
        for file in code {
            let count = file.text.utf8.count { $0 == UInt8(ascii: "\n") }
            #expect(count <= Self.fileLinesMax, "\(file.path) has \(count) lines")
        }
        let counts = code.filter { $0.path.hasPrefix("Sources/") }.map(\.lines.count).sorted()
        #expect(counts[counts.count / 2] <= Self.medianLinesMax)
    }

    @Test func functionsAreShort() {
        for file in tree.swift(tests: true) {
            for function in SwiftCode.functions(file.code) where function.lineCount > Self.functionLinesMax {
                Issue.record("\(file.path):\(function.line): \(function.name) has \(function.lineCount) lines")
            }
        }
    }

    @Test func linesAreNarrow() {
        for file in code + tree.files.filter({ $0.path == "Package.swift" }) {
            for line in Self.wide(file.text) { Issue.record("\(file.path):\(line) is wider than \(Self.columnsMax)") }
        }
    }

    /// Lines over the limit. Tables of numbers and long texts of tests are no exception.
    static func wide(_ text: String) -> [Int] {
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        return lines.indices.filter { lines[$0].utf8.count > columnsMax && lines[$0].count > columnsMax }.map { $0 + 1 }
    }

    // MARK: - These tests can fail

    @Test func functionsAreMeasured() {
        let text = """
            protocol P {
                func required(_ a: Int) -> Int
                init(a: Int)
            }
            struct S {
                init(
                    _ body: () -> Void = { },
                    other: [Int] = []
                ) throws {
                    // }
                    let s = "}"
                    self.init(a: 1)
                }
                func f<T>(_ t: T)
                    async throws -> [String: Int]
                where T: P {
                    if true { g() }
                }
                func g() {}
            }
            """
        let found = SwiftCode.functions(SwiftCode.blanked(text))
        #expect(found.map(\.name).sorted() == ["func f<T>", "func g", "init"])
        #expect(found.first { $0.name == "init" } == .init(name: "init", line: 6, lineCount: 8))
        #expect(found.first { $0.name == "func f<T>" } == .init(name: "func f<T>", line: 14, lineCount: 5))
    }

    @Test func aLongFunctionIsFound() {
        let body = String(repeating: "    a()\n", count: 69)
        let found = SwiftCode.functions(SwiftCode.blanked("func long() {\n\(body)}\n"))
        #expect(found == [.init(name: "func long", line: 1, lineCount: 71)])
    }

    @Test func aWideLineIsFound() {
        let wide = String(repeating: "x", count: 121)
        #expect(Self.wide("short\n\(wide)\n") == [2])
        #expect(Self.wide(String(repeating: "é", count: 120)).isEmpty)
    }
}
