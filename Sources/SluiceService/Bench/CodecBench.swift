import SluiceCore
package import SluiceEngine

/// Times the codec alone, on one core: records in memory become columns, and predictions become messages.
package enum CodecBench {
    package struct Settings: Sendable {
        package var features: Int
        /// Of all repetitions of one kind of work.
        package var seconds: Double

        package init(features: Int, seconds: Double) {
            self.features = features
            self.seconds = seconds
        }
    }

    package enum Work: String, Sendable, CaseIterable {
        case decodeJSON
        /// Written by four programs in turn, each with its members in an order of its own.
        case decodeMixedJSON
        /// Each document has its members in another order than the one before.
        case decodeVaryingJSON
        case decodeCSV, encodeJSON

        package var direction: String { self == .encodeJSON ? "encode" : "decode" }
        package var format: String { self == .decodeCSV ? "csv" : "json" }
        /// For people.
        package var kind: String {
            switch self {
            case .decodeJSON, .encodeJSON: "JSON"
            case .decodeMixedJSON: "JSON, members in four orders"
            case .decodeVaryingJSON: "JSON, members in varying order"
            case .decodeCSV: "CSV"
            }
        }
    }

    package struct Result: Sendable {
        package var work: Work
        package var settings: Settings
        /// Of the best repetition, and of the median one.
        package var recordsPerSecond: Double
        package var median: Double
        package var repetitions: Int
        /// Of a record's value, on average.
        package var bytesPerRecord: Double
    }

    /// Records done at once.
    private static let batch = 1_024
    private static let batches = 16
    private static let repetitions = 7

    /// - Parameter isCancelled: ends it after the batch at hand.
    /// - Throws: `input-invalid` when what was made is not what it must be; `CancellationError`.
    package static func run(
        _ work: Work, _ settings: Settings, clock: some EngineClock, isCancelled: () -> Bool = { false }
    ) throws -> Result {
        let records = CodecRecords(features: settings.features, count: batch * batches)
        let bench: any CodecLoop =
            switch work {
            case .decodeJSON: try DecodingLoop(records, records.json, batch, isCSV: false)
            case .decodeMixedJSON: try DecodingLoop(records, records.mixedJSON, batch, isCSV: false)
            case .decodeVaryingJSON: try DecodingLoop(records, records.varyingJSON, batch, isCSV: false)
            case .decodeCSV: try DecodingLoop(records, records.csv, batch, isCSV: true)
            case .encodeJSON: try EncodingLoop(records, batch)
            }
        // Every buffer has its size before time is taken.
        _ = try pass(bench, clock, isCancelled)
        let share = Int64(settings.seconds * 1e9) / Int64(repetitions)
        var rates: [Double] = []
        while rates.count < repetitions {
            var (elapsed, done): (Int64, Int) = (0, 0)
            repeat {
                elapsed += try pass(bench, clock, isCancelled)
                done += batches * batch
            } while elapsed < share
            rates.append(Double(done) * 1e9 / Double(elapsed))
        }
        rates.sort()
        return Result(
            work: work, settings: settings, recordsPerSecond: rates[rates.count - 1], median: rates[rates.count / 2],
            repetitions: rates.count, bytesPerRecord: Double(bench.bytes) / Double(batch * batches))
    }

    /// Nanoseconds of all records.
    private static func pass(
        _ bench: any CodecLoop, _ clock: some EngineClock, _ isCancelled: () -> Bool
    ) throws -> Int64 {
        try (0..<batches).reduce(0) { sum, index in
            if isCancelled() { throw CancellationError() }
            return sum + (try time(bench, first: index * batch, clock))
        }
    }

    /// Nanoseconds of one batch; spoiling what lies in the outputs and checking them is not counted.
    private static func time(_ bench: any CodecLoop, first: Int, _ clock: some EngineClock) throws -> Int64 {
        bench.spoil()
        let start = clock.monotonicNanoseconds()
        bench.run(first)
        let elapsed = clock.monotonicNanoseconds() - start
        guard bench.isSound(first) else {
            throw SluiceError(.invalidInput, "the codec's benchmark made something else than it must")
        }
        return elapsed
    }
}
