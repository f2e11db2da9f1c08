import Testing

@Suite struct ImportTests {
    private let tree = SourceTree.repository

    @Test func modulesImportDownwardsOnly() {
        for file in tree.swift(tests: false) {
            guard let module = file.module else { continue }
            let violations = ImportDirection.violations(module, imports: SwiftCode.imports(file.code))
            #expect(violations.isEmpty, "\(file.path) imports \(violations.joined(separator: ", "))")
        }
    }

    @Test func theTableHasNoCycle() {
        #expect(ImportDirection.cycle(ImportDirection.table) == nil)
    }

    @Test func theEngineReadsNoClock() {
        for file in tree.swift(tests: false) where ImportDirection.clockless.contains(file.module ?? "") {
            for clock in ImportDirection.clocks {
                let found = SwiftCode.occurrences(of: clock, in: file.code)
                #expect(found.isEmpty, "\(file.path) uses \(clock)")
            }
        }
    }

    @Test func everyModuleOfThePackageHasItsRow() {
        let declared = Self.targets(tree.text("Package.swift"))
        #expect(declared == Set(ImportDirection.table.keys).union(ImportDirection.c))
        let folders = Set(tree.files.compactMap(\.module))
        #expect(folders.subtracting(declared).isEmpty, "folders without a target")
        let readme = tree.text("Sources/README.md")
        for module in declared.sorted() {
            #expect(readme.contains("`\(module)`"), "\(module) is not in Sources/README.md")
        }
    }

    @Test func thePackageDeclaresNoMoreThanTheTableAllows() {
        for (module, dependencies) in Self.dependencies(tree.text("Package.swift")) {
            let excess = ImportDirection.violations(module, imports: dependencies)
            #expect(excess.isEmpty, "\(module) depends on \(excess.joined(separator: ", "))")
        }
    }

    // MARK: - Package.swift

    private static let kinds = [".target(", ".executableTarget(", ".systemLibrary("]

    /// The declarations of targets that are not tests, each up to the next one.
    private static func declarations(_ manifest: String) -> [Substring] {
        let body = manifest.split(separator: "targets: [\n", maxSplits: 1).last ?? ""
        let lines = body.split(separator: "\n").map { $0.drop { $0 == " " } }
        var result: [Substring] = []
        for line in lines {
            if kinds.contains(where: { line.hasPrefix($0) }) { result.append("") }
            if line.hasPrefix("test(") || line.hasPrefix(".testTarget(") { break }
            guard !result.isEmpty else { continue }
            result[result.count - 1] += line + " "
        }
        return result
    }

    private static func name(_ declaration: Substring) -> String? {
        guard let start = declaration.firstRange(of: "name: \"") else { return nil }
        return String(declaration[start.upperBound...].prefix { $0 != "\"" })
    }

    static func targets(_ manifest: String) -> Set<String> { Set(declarations(manifest).compactMap(name)) }

    /// Products of other packages stand in brackets of their own, so what is quoted at the first level is a module.
    static func dependencies(_ manifest: String) -> [String: Set<String>] {
        var result: [String: Set<String>] = [:]
        for declaration in declarations(manifest) {
            guard let name = name(declaration), let start = declaration.firstRange(of: "dependencies: [")
            else { continue }
            let list = declaration[start.upperBound...].prefix { $0 != "]" }
            result[name] = Set(
                list.split(separator: ",").compactMap { item in
                    let item = item.drop { $0 == " " }
                    return item.first == "\"" ? String(item.dropFirst().prefix { $0 != "\"" }) : nil
                })
            // The second argument of `product(…)` is quoted too, but closes a bracket.
            result[name] = result[name]?.filter { !list.contains("\"\($0)\")") }
        }
        return result
    }

    // MARK: - These tests can fail

    @Test func aWrongImportIsFound() {
        #expect(ImportDirection.violations("SluiceEngine", imports: ["SluiceKafka", "SluiceCore"]) == ["SluiceKafka"])
        #expect(ImportDirection.violations("SluiceEngine", imports: ["Foundation"]) == ["Foundation"])
        #expect(ImportDirection.violations("SluiceState", imports: ["Dispatch", "Glibc"]) == ["Dispatch", "Glibc"])
        #expect(ImportDirection.violations("SluiceStore", imports: ["CLibrdkafka", "Foundation"]) == ["CLibrdkafka"])
        #expect(ImportDirection.violations("SluiceTraining", imports: ["CStepKernel"]) == ["CStepKernel"])
        #expect(ImportDirection.violations("SluiceUnheardOf", imports: ["SluiceCore"]) == ["SluiceCore"])
    }

    @Test func aCycleIsFound() {
        #expect(ImportDirection.cycle(["a": ["b"], "b": ["c"], "c": ["a"], "d": []]) == "a")
        #expect(ImportDirection.cycle(["a": ["b", "c"], "b": ["c"], "c": []]) == nil)
    }

    @Test func theManifestIsRead() {
        let manifest = """
            targets: [
                .systemLibrary(name: "CThing"),
                .target(
                    name: "Upper", dependencies: ["Lower", product("NIO", "nio"), "CThing"], swiftSettings: x),
                .target(name: "Lower", swiftSettings: x),
                test("Upper", ["Other"]),
            """
        #expect(Self.targets(manifest) == ["CThing", "Upper", "Lower"])
        #expect(Self.dependencies(manifest)["Upper"] == ["Lower", "CThing"])
    }

    @Test func everyFormOfImportIsSeen() {
        let text = """
            import A
            internal import B
            @preconcurrency package import C
            import struct D.Thing
            @testable import E
            // import F
            let text = "import G"
            important(import: 1)
            """
        #expect(SwiftCode.imports(SwiftCode.blanked(text)) == ["A", "B", "C", "D", "E"])
    }
}
