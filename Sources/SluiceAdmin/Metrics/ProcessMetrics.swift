internal import Foundation
internal import Glibc

/// The process's own metrics, under the names that every Prometheus client gives them; read from /proc at each scrape.
enum ProcessMetrics {
    static let descriptions = [
        MetricDescription("process_cpu_seconds_total", "Processor time used, user and system.", .counter),
        MetricDescription("process_max_fds", "File descriptors that may be open.", .gauge),
        MetricDescription("process_open_fds", "File descriptors that are open.", .gauge),
        MetricDescription("process_resident_memory_bytes", "Memory in use.", .gauge),
        MetricDescription("process_start_time_seconds", "When the process began, seconds since 1970.", .gauge),
    ]

    /// Values by name; what cannot be read is left out.
    static func values() -> [String: Double] {
        var values: [String: Double] = [:]
        // What stands before the bracket is the program's name, which may hold anything.
        let status = text("/proc/self/stat").split(separator: ")").last?.split(separator: " ").map { Double($0) } ?? []
        let ticks = Double(sysconf(Int32(_SC_CLK_TCK)))
        // Numbers of the fields after proc(5), of which the first behind the bracket is the third.
        func field(_ number: Int) -> Double? { number - 3 < status.count ? status[number - 3] : nil }
        if let user = field(14), let system = field(15) {
            values["process_cpu_seconds_total"] = (user + system) / ticks
        }
        if let pages = field(24) {
            values["process_resident_memory_bytes"] = pages * Double(sysconf(Int32(_SC_PAGESIZE)))
        }
        if let begun = field(22), let booted = bootTime() {
            values["process_start_time_seconds"] = booted + begun / ticks
        }
        if let open = try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").count {
            values["process_open_fds"] = Double(open)
        }
        values["process_max_fds"] = Double(max(0, sysconf(Int32(_SC_OPEN_MAX))))
        return values
    }

    private static func bootTime() -> Double? {
        let line = text("/proc/stat").split(separator: "\n").first { $0.hasPrefix("btime ") }
        return line.flatMap { Double($0.dropFirst(6)) }
    }

    private static func text(_ path: String) -> String { (try? String(contentsOfFile: path, encoding: .utf8)) ?? "" }
}
