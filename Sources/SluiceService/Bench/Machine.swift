import Foundation
import Glibc
import SluiceNumerics

/// What figures are of.
package enum Machine {
    package static var cores: Int { ProcessInfo.processInfo.activeProcessorCount }

    /// As the system names it; the architecture where it has no name for it.
    package static var processor: String {
        let information = (try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8)) ?? ""
        return information.split(separator: "\n").first { $0.hasPrefix("model name") }
            .flatMap { $0.split(separator: ":", maxSplits: 1).last }
            .map { $0.trimmingCharacters(in: .whitespaces) } ?? architecture
    }

    private static var architecture: String {
        #if arch(arm64)
            "arm64"
        #else
            "x86-64"
        #endif
    }

    /// Of the step kernel.
    package static var instructionSet: String { InstructionSet.best.instructions.rawValue }
}

/// Processor time of this thread: what others do on a busy machine is not in it.
func threadNanoseconds() -> Int64 {
    var now = timespec()
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now)
    return Int64(now.tv_sec) * 1_000_000_000 + Int64(now.tv_nsec)
}
