import Foundation
import Glibc
import SluiceCore

/// Memory of this process.
enum ProcessMemory {
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
}
