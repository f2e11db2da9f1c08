internal import ArgumentParser
internal import Foundation

/// Keeps a command from writing over what it reads.
enum DistinctFiles {
    /// - Throws: a usage error that names both, when an output is an input under any name or link. `-` is no file.
    static func check(outputs: [(flag: String, path: String)], inputs: [(flag: String, path: String)]) throws {
        for output in outputs where output.path != "-" {
            for input in inputs where input.path != "-" && identity(input.path) == identity(output.path) {
                throw ValidationError("\(output.flag) \(output.path) would overwrite \(input.flag) \(input.path).")
            }
        }
    }

    /// Device and inode of what is there, else the path without links and dots.
    private static func identity(_ path: String) -> String {
        let attributes = try? FileManager.default.attributesOfItem(
            atPath: URL(filePath: path).resolvingSymlinksInPath().path)
        if let device = attributes?[.systemNumber] as? Int, let inode = attributes?[.systemFileNumber] as? Int {
            return "\(device)/\(inode)"
        }
        return URL(filePath: path).standardizedFileURL.resolvingSymlinksInPath().path
    }
}
