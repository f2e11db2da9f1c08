internal import Foundation
internal import SluiceService

/// A measurement of the engine as a line of text.
struct EngineRow {
    static let heading =
        "  streams features   hidden   layers  workers partitions   best 1/s median 1/s"
        + "  bytes/stream   of h, c  longest"

    private let result: EngineBench.Result

    init(_ result: EngineBench.Result) { self.result = result }

    var text: String {
        let (settings, memory) = (result.settings, result.memory)
        return String(
            format: "%9d %8d %8d %8d %8d %10d %10.0f %10.0f %13.0f %9.0f %5.1f ms", settings.streams, settings.features,
            settings.hidden, settings.layers, settings.workers, settings.partitions, result.recordsPerSecond,
            result.median, Double(memory.resident) / Double(settings.streams),
            Double(memory.raw) / Double(settings.streams), result.longestMilliseconds)
    }
}
