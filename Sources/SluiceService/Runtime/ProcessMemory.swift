import Foundation
import Glibc
import SluiceCore

/// Memory of this process.
package enum ProcessMemory {
    /// Bytes that are in memory; 0 where the system does not say.
    static var residentBytes: Int {
        let status = (try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8)) ?? ""
        return (status.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0) * sysconf(Int32(_SC_PAGESIZE))
    }

    /// The same when what was freed before has gone back to the system.
    static var trimmedResidentBytes: Int {
        returnFreedMemory()
        return residentBytes
    }

    /// Bytes that it may have: physical memory, or the control group's bound where that is lower.
    package static var limitBytes: Int {
        let physical = Int(clamping: ProcessInfo.processInfo.physicalMemory)
        let bounds = (groups(of: text("/proc/self/cgroup")) + groups(of: "0::/\n1:memory:/")).compactMap {
            Int(text($0).trimmingCharacters(in: .whitespacesAndNewlines))
        }
        return ([physical] + bounds).min() ?? physical
    }

    /// Bytes that it may still take without others having to give theirs.
    package static var availableBytes: Int {
        let bound = max(0, limitBytes - residentBytes)
        let line = text("/proc/meminfo").split(separator: "\n").first { $0.hasPrefix("MemAvailable:") }
        guard let kilobytes = line?.split(separator: " ").dropFirst().first.flatMap({ Int($0) }) else { return bound }
        return min(kilobytes * 1_024, bound)
    }

    /// The files with the bounds of the groups that are listed as in `/proc/self/cgroup` (cgroups(7)), of version 1
    /// and 2. A container may see its own group as the root.
    static func groups(of list: String) -> [String] {
        list.split(separator: "\n").compactMap { line in
            let parts = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
            guard parts.count == 3 else { return nil }
            let path = parts[2] == "/" ? "" : parts[2]
            if parts[1].isEmpty { return "/sys/fs/cgroup\(path)/memory.max" }
            return parts[1].split(separator: ",").contains("memory")
                ? "/sys/fs/cgroup/memory\(path)/memory.limit_in_bytes" : nil
        }
    }

    private static func text(_ path: String) -> String { (try? String(contentsOfFile: path, encoding: .utf8)) ?? "" }
}
