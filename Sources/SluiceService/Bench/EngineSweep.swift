package import SluiceEngine

/// The engine over one of its sizes at a time, the others at their defaults.
package struct EngineSweep: Sendable {
    /// What is varied.
    package enum Size: String, CaseIterable, Sendable {
        case streams, features, hidden, layers, workers, partitions
    }

    /// What came of one size.
    package struct Line: Sendable {
        package let size: Size
        package var results: [EngineBench.Result] = []

        package init(_ size: Size, _ results: [EngineBench.Result] = []) {
            (self.size, self.results) = (size, results)
        }
    }

    private let seconds: Double
    private let points: [(size: Size, settings: EngineBench.Settings)]

    /// - Parameters:
    ///   - cores: the largest number of workers.
    ///   - seconds: of each point.
    package init(cores: Int, seconds: Double) {
        self.seconds = seconds
        let powers = (0..<16).map { 1 << $0 }
        points = Size.allCases.flatMap { size in
            let values =
                switch size {
                case .streams: [1_000, 10_000, 100_000, 1_000_000]
                case .features: [1, 8, 32, 128]
                case .hidden: [16, 32, 64, 128, 256]
                case .layers: [1, 2, 4]
                case .workers: powers.filter { $0 < cores } + [cores]
                case .partitions: [1, 4, 16, 64]
                }
            return values.map { (size, Self.settings(size, $0, seconds: seconds)) }
        }
    }

    /// About what the largest point takes.
    package var bytes: Int { points.map(\.settings.bytes).max() ?? 0 }

    private static func settings(_ size: Size, _ value: Int, seconds: Double) -> EngineBench.Settings {
        switch size {
        case .streams: .init(streams: value, seconds: seconds)
        case .features: .init(features: value, seconds: seconds)
        case .hidden: .init(hidden: value, seconds: seconds)
        case .layers: .init(layers: value, seconds: seconds)
        case .workers: .init(workers: value, seconds: seconds)
        case .partitions: .init(partitions: value, seconds: seconds)
        }
    }

    /// Measures the points that several lines share once.
    ///
    /// - Parameters:
    ///   - progress: told as of `EngineBench`, with the share of all points.
    ///   - found: told of each new point.
    /// - Returns: what there was until it was cancelled.
    package func run(
        clock: some EngineClock & Sendable, progress: (EngineBench.Progress) -> Void,
        found: (EngineBench.Result) -> Void, isCancelled: @escaping @Sendable () -> Bool
    ) throws -> [Line] {
        var known: [EngineBench.Settings: EngineBench.Result] = [:]
        let count = Double(Set(points.map(\.settings)).count)
        for (_, settings) in points where known[settings] == nil && !isCancelled() {
            do {
                let result = try EngineBench.run(
                    settings, clock: clock,
                    progress: {
                        var all = $0
                        all.share = (Double(known.count) + $0.share) / count
                        progress(all)
                    }, isCancelled: isCancelled)
                known[settings] = result
                found(result)
            } catch is CancellationError { break }
        }
        return Size.allCases.map { size in
            Line(size, points.filter { $0.size == size }.compactMap { known[$0.settings] })
        }
    }
}

extension EngineBench.Settings {
    package func value(of size: EngineSweep.Size) -> Int {
        switch size {
        case .streams: streams
        case .features: features
        case .hidden: hidden
        case .layers: layers
        case .workers: workers
        case .partitions: partitions
        }
    }
}
