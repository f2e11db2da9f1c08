import Foundation
import SluiceCore
import Synchronization

/// What was sent and what was forecast of it: the demo's own account, kept apart from the service's.
package final class DemoLedger: Sendable {
    package struct Stream: Sendable {
        package var value: Float = .nan
        package var forecast: Float = .nan
        package var low: Float = .nan
        package var high: Float = .nan
        package var anomaly: Float?
        package var step = 0
        package var isWarm = false
    }

    package struct Errors: Sendable {
        package var count = 0
        package var forecast = 0.0
        package var naive = 0.0
    }

    /// The fields of a prediction that the demo looks at.
    private struct Prediction: Decodable {
        struct Forecast: Decodable {
            var value: Float
            var quantiles: [String: Float]?
        }
        struct Source: Decodable {
            var partition: Int32
            var offset: Offset
        }
        var stream: String
        var time: String
        var step: Int
        var warm: Bool
        var forecast: [Forecast]
        var anomaly: Float?
        var source: Source
    }

    private struct State {
        var streams: [String: Stream] = [:]
        /// Values sent and not yet predicted, by stream and time.
        var sent: [String: [EpochMilliseconds: Float]] = [:]
        var errors: [String: Errors] = [:]
        var observations = 0
        var history = 0
        var predictions = 0
        /// First input of each partition that no prediction has come for.
        var next: [Int32: Offset] = [:]
    }

    private let state = Mutex(State())

    package var streams: [(name: String, stream: Stream)] {
        state.withLock { $0.streams.sorted { $0.key < $1.key }.map { (name: $0.key, stream: $0.value) } }
    }
    package var observations: Int { state.withLock { $0.observations } }
    package var predictions: Int { state.withLock { $0.predictions } }

    /// Mean absolute errors one step ahead of the recorded series, over predictions that were warm.
    package func errors(prefix: String) -> Errors {
        state.withLock { state in
            state.errors.filter { $0.key.hasPrefix(prefix) }.values.reduce(into: Errors()) { sum, errors in
                sum.count += errors.count
                sum.forecast += errors.forecast
                sum.naive += errors.naive
            }
        }
    }

    func sent(_ stream: String, _ time: EpochMilliseconds, _ value: Float) {
        state.withLock { state in
            state.observations += 1
            state.sent[stream, default: [:]][time] = value
        }
    }

    /// Recorded history, produced before the show: counted, not judged.
    func sentHistory(_ count: Int) {
        state.withLock { state in
            state.observations += count
            state.history += count
        }
    }

    /// How much of the observations that is.
    var history: Int { state.withLock { $0.history } }

    /// Takes a prediction in: judges the forecast made before it, and the naive one, by the value it answers. One that
    /// came before, as may be after a rebalance, is passed over.
    func predicted(_ json: Data, _ decoder: JSONDecoder) {
        guard let prediction = try? decoder.decode(Prediction.self, from: json),
            let time = try? Date(prediction.time, strategy: Self.time), let first = prediction.forecast.first
        else { return }
        let milliseconds = EpochMilliseconds((time.timeIntervalSince1970 * 1_000).rounded())
        state.withLock { state in
            let source = prediction.source
            guard source.offset >= state.next[source.partition, default: 0] else { return }
            state.next[source.partition] = source.offset + 1
            state.predictions += 1
            let value = state.sent[prediction.stream]?.removeValue(forKey: milliseconds) ?? .nan
            let before = state.streams[prediction.stream] ?? Stream()
            if before.isWarm, !value.isNaN, !before.value.isNaN, !before.forecast.isNaN {
                state.errors[prediction.stream, default: Errors()].count += 1
                state.errors[prediction.stream, default: Errors()].forecast += Double(
                    (value - before.forecast).magnitude)
                state.errors[prediction.stream, default: Errors()].naive += Double((value - before.value).magnitude)
            }
            state.streams[prediction.stream] = Stream(
                value: value, forecast: first.value, low: first.quantiles?["0.1"] ?? .nan,
                high: first.quantiles?["0.9"] ?? .nan, anomaly: prediction.anomaly, step: prediction.step,
                isWarm: prediction.warm)
        }
    }

    private static let time = Date.ISO8601FormatStyle(includingFractionalSeconds: false)
}
