package import SluiceEngine

/// The engine over one of its sizes at a time, the others at their defaults.
package struct EngineSweep: Sendable {
    package enum Size: String, CaseIterable, Sendable {
        case streams, features, hidden, layers, workers, partitions
    }

    package struct Line: Sendable {
        package let size: Size
        package var results: [EngineBench.Result] = []

        package init(_ size: Size, _ results: [EngineBench.Result] = []) {
            (self.size, self.results) = (size, results)
        }
    }

    /// How far it is.
    package struct Progress: Sendable {
        /// 0 to 1.
        package var share: Double
        /// Of the last repetition.
        package var recordsPerSecond: Double
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
    ///   - progress: told after each repetition.
    ///   - found: told of each new point.
    /// - Returns: what there was until it was cancelled.
    package func run(
        clock: some EngineClock & Sendable, progress: (Progress) -> Void, found: (EngineBench.Result) -> Void,
        isCancelled: @escaping @Sendable () -> Bool
    ) throws -> [Line] {
        var known: [EngineBench.Settings: EngineBench.Result] = [:]
        let count = Double(Set(points.map(\.settings)).count)
        for (_, settings) in points where known[settings] == nil && !isCancelled() {
            let result = try EngineBench.run(
                settings, clock: clock,
                progress: { progress(Progress(share: (Double(known.count) + $0) / count, recordsPerSecond: $1)) },
                isCancelled: isCancelled)
            known[settings] = result
            found(result)
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
