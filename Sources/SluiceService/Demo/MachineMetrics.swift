import Foundation

/// The machine's own live series, from /proc: processor and memory in use (percent), disk and network traffic (decibels
/// of bytes a second: on a scale like the others', whatever the machine does).
struct MachineMetrics {
    private struct Counters {
        var busy = 0.0
        var total = 0.0
        var diskBytes = 0.0
        var networkBytes = 0.0
        var at = Date()
    }

    private var last: Counters?

    /// Stream names with their values now; rates need a sample before.
    mutating func sample() -> [(stream: String, value: Float)] {
        let now = Self.counters()
        defer { last = now }
        var values: [(String, Float)] = []
        if let memory = Self.memoryPercent() { values.append(("machine/memory", Float(memory))) }
        guard let last else { return values }
        let seconds = max(0.001, now.at.timeIntervalSince(last.at))
        if now.total > last.total {
            values.append(("machine/processor", Float(100 * (now.busy - last.busy) / (now.total - last.total))))
        }
        values.append(("machine/disk", Self.decibels((now.diskBytes - last.diskBytes) / seconds)))
        values.append(("machine/network", Self.decibels((now.networkBytes - last.networkBytes) / seconds)))
        return values
    }

    private static func decibels(_ rate: Double) -> Float { Float(10 * log10(1 + max(0, rate))) }

    private static func lines(_ path: String) -> [[Substring]] {
        let text = (try? String(contentsOfFile: path, encoding: .utf8)) ?? ""
        return text.split(whereSeparator: \.isNewline).map {
            $0.split(whereSeparator: { $0 == " " || $0 == ":" || $0 == "\t" })
        }
    }

    private static func counters() -> Counters {
        var counters = Counters()
        if let processor = lines("/proc/stat").first(where: { $0.first == "cpu" }) {
            let times = processor.dropFirst().compactMap { Double($0) }
            counters.total = times.reduce(0, +)
            // The fourth and fifth are idle and waiting for the disk.
            counters.busy = counters.total - times.dropFirst(3).prefix(2).reduce(0, +)
        }
        for disk in lines("/proc/diskstats") where disk.count > 9 && !disk[2].hasPrefix("loop") {
            // Sectors of 512 bytes, read and written.
            counters.diskBytes += 512 * ((Double(disk[5]) ?? 0) + (Double(disk[9]) ?? 0))
        }
        for interface in lines("/proc/net/dev") where interface.count > 9 {
            counters.networkBytes += (Double(interface[1]) ?? 0) + (Double(interface[9]) ?? 0)
        }
        return counters
    }

    private static func memoryPercent() -> Double? {
        func kilobytes(_ name: String) -> Double? {
            lines("/proc/meminfo").first { $0.first.map(String.init) == name }.flatMap {
                $0.count > 1 ? Double($0[1]) : nil
            }
        }
        guard let total = kilobytes("MemTotal"), let available = kilobytes("MemAvailable"), total > 0 else {
            return nil
        }
        return 100 * (total - available) / total
    }
}
