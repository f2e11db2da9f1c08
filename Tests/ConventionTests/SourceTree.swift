import Foundation

/// The files of the repository that people write, read once.
struct SourceTree: Sendable {
    struct File: Sendable {
        /// From the top of the repository: `Sources/SluiceCore/Limits.swift`.
        let path: String
        let text: String
        /// `text` of a Swift file with comments and string literals blanked out.
        let code: [UInt8]

        var lines: [Substring] { text.split(separator: "\n", omittingEmptySubsequences: false) }

        /// The target a file under `Sources` belongs to.
        var module: String? {
            let parts = path.split(separator: "/")
            return parts.first == "Sources" && parts.count > 2 ? String(parts[1]) : nil
        }

        var isSwift: Bool { path.hasSuffix(".swift") }
        var isC: Bool { [".c", ".cpp", ".h", ".hpp", ".inc"].contains { path.hasSuffix($0) } }
    }

    let files: [File]

    static let repository = SourceTree(
        root: URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../.."))

    /// What is built, fetched or written by a run, and so not in the repository (`.gitignore`).
    private static let ignored: Set<String> = [
        ".build", ".git", ".swiftpm", "Package.resolved", "state", "runs", "run", "fuzz-artifacts",
        "__pycache__",
    ]
    /// Data sets and goldens are larger and no prose.
    private static let fileBytesMax = 1 << 20

    private init(root: URL) {
        let base = root.standardizedFileURL.path(percentEncoded: false)
        guard let walker = FileManager.default.enumerator(atPath: base) else {
            files = []
            return
        }
        var found: [File] = []
        while let path = walker.nextObject() as? String {
            let isTopLevel = !path.contains("/")
            if isTopLevel && Self.ignored.contains(path) || path.hasSuffix("__pycache__") {
                walker.skipDescendants()
                continue
            }
            guard let size = walker.fileAttributes?[.size] as? Int, size <= Self.fileBytesMax,
                walker.fileAttributes?[.type] as? FileAttributeType == .typeRegular,
                let data = FileManager.default.contents(atPath: base + "/" + path),
                let text = String(data: data, encoding: .utf8)
            else { continue }
            found.append(File(path: path, text: text, code: path.hasSuffix(".swift") ? SwiftCode.blanked(text) : []))
        }
        files = found.sorted { $0.path < $1.path }
    }

    /// The Swift files of the package, tests and fuzz targets included or not.
    func swift(tests: Bool) -> [File] {
        let folders = ["Sources/"] + (tests ? ["Tests/", "Fuzz/"] : [])
        return files.filter { file in file.isSwift && folders.contains { file.path.hasPrefix($0) } }
    }

    func text(_ path: String) -> String { files.first { $0.path == path }?.text ?? "" }
}
