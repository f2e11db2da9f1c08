internal import SluiceCore

/// The text of a prediction between `"model":` and `"anomaly":` for one model: pieces of fixed text, each followed by
/// the value of one output. Outputs are target-major, then horizon, then quantile (or mean, deviation), or one
/// probability per class.
public struct PredictionLayout: Sendable {
    public enum Head: Sendable, Equatable {
        case point
        /// Outputs are mean and standard deviation.
        case gaussian
        /// One output per quantile, ascending, 0.5 among them.
        case quantile([Double])
        /// One output per probability; neither targets nor horizons.
        case probabilities(Int)
    }

    struct Piece: Sendable {
        /// A range of `text`.
        var start: Int
        var count: Int
        /// Which output follows.
        var output: Int
    }

    private(set) var text: [UInt8] = []
    private(set) var pieces: [Piece] = []
    /// Fixed text behind the last value.
    private(set) var closing = 0..<0
    /// O: outputs of a prediction.
    public let outputCount: Int

    /// - Parameter version: the model's version, as it stands in the message.
    public init(version: String, targets: [String], horizons: [Int], head: Head) {
        var arena = ByteArena(capacity: 1_024)
        var ends: [(end: Int, output: Int)] = []
        arena.append(",\"model\":")
        arena.appendJSON(version)
        if case .probabilities(let count) = head {
            outputCount = count
            arena.append(",\"probabilities\":[")
            for index in 0..<count {
                if index > 0 { arena.append(",") }
                ends.append((arena.count, index))
            }
        } else {
            arena.append(",\"forecast\":[")
            var output = 0
            for target in targets {
                for horizon in horizons {
                    arena.append(output == 0 ? "{\"target\":" : ",{\"target\":")
                    arena.appendJSON(target)
                    arena.append(",\"horizon\":")
                    arena.appendJSON(Int64(horizon))
                    arena.append(",\"value\":")
                    output += Self.forecast(head, output, &arena, &ends)
                    arena.append("}")
                }
            }
            outputCount = output
        }
        arena.append("],\"anomaly\":")
        var start = 0
        for (end, output) in ends {
            pieces.append(Piece(start: start, count: end - start, output: output))
            start = end
        }
        closing = start..<arena.count
        text = Array(arena.bytes)
    }

    /// Lays out one target and horizon from its first output on; returns how many outputs it has.
    private static func forecast(
        _ head: Head, _ first: Int, _ arena: inout ByteArena, _ ends: inout [(end: Int, output: Int)]
    ) -> Int {
        switch head {
        case .point, .probabilities:
            ends.append((arena.count, first))
            return 1
        case .gaussian:
            ends.append((arena.count, first))
            arena.append(",\"deviation\":")
            ends.append((arena.count, first + 1))
            return 2
        case .quantile(let quantiles):
            guard let median = quantiles.firstIndex(of: 0.5) else {
                preconditionFailure("a quantile head without its median is refused with the model")
            }
            ends.append((arena.count, first + median))
            arena.append(",\"quantiles\":{")
            var isFirst = true
            for (index, quantile) in quantiles.enumerated() where index != median {
                arena.append(isFirst ? "\"" : ",\"")
                isFirst = false
                arena.appendJSON(quantile)
                arena.append("\":")
                ends.append((arena.count, first + index))
            }
            arena.append("}")
            return quantiles.count
        }
    }
}
