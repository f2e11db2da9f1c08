import Foundation

/// What a data set may take of memory before its rows go into a file, and where that lies.
package struct DatasetMemory: Sendable {
    package var bytes: Int
    package var folder: String

    /// - Parameter bytes: nil: a quarter of what the machine has, or of what the process may have of it.
    package init(folder: String, bytes: Int? = nil) {
        self.folder = folder
        self.bytes = bytes ?? Self.ofMachine / 4
    }

    /// Physical memory, or the control group's bound where that is lower.
    private static var ofMachine: Int {
        let physical = Int(clamping: ProcessInfo.processInfo.physicalMemory)
        let bounds = ["/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"].compactMap { path in
            (try? String(contentsOfFile: path, encoding: .utf8)).flatMap {
                Int($0.trimmingCharacters(in: .whitespacesAndNewlines))
            }
        }
        return ([physical] + bounds).min() ?? physical
    }
}
