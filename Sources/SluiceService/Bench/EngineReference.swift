import SluiceLSTM
import SluiceLog
import SluiceSchema
import SluiceState

/// What streams come to behind their first records, computed as the equations are written: slow, and the judge of what
/// is measured.
final class EngineReference {
    private struct Stream {
        var statistics: [StreamStatistics]
        /// `[L][h, c][paddedHidden]`.
        var state: [Float]
    }

    private let parameters: LSTMParameters
    @exclusivity(unchecked) private var decoder: ObservationDecoder
    @exclusivity(unchecked) private var columns: ObservationColumns
    private var streams: [String: Stream] = [:]

    init(_ parameters: LSTMParameters, _ input: InputSpecification) throws {
        self.parameters = parameters
        decoder = try ObservationDecoder(input)
        columns = ObservationColumns(featureCount: parameters.shape.inputs, rowsExpected: 1)
    }

    /// Folds a record into its stream's state: scaled by the stream's own statistics, which have it already, then a
    /// step of the reference.
    func fold(_ record: LogRecord) {
        columns.removeAll()
        let refusal = decoder.append(InputRecord(value: record.value, key: record.key), to: &columns)
        precondition(refusal == nil, "the records are observations")
        let shape = parameters.shape
        let name = String(decoding: record.key, as: UTF8.self)
        var stream =
            streams[name]
            ?? Stream(
                statistics: Array(repeating: StreamStatistics(), count: shape.inputs),
                state: Array(repeating: 0, count: shape.stateFloats))
        let values = columns.features(0)
        let scaled = (0..<shape.inputs).map { input in
            stream.statistics[input].add(values[input])
            return stream.statistics[input].scaled(values[input])
        }
        stream.state = ReferenceCell<Float>(parameters).step(inputs: scaled, state: stream.state).next
        streams[name] = stream
    }

    /// Whether each stream has the very state, bit by bit, that a table has for it.
    func agrees(_ state: (String) -> UnsafePointer<Float>?) -> Bool {
        streams.allSatisfy { name, stream in
            guard let found = state(name) else { return false }
            return stream.state.indices.allSatisfy { stream.state[$0].bitPattern == found[$0].bitPattern }
        }
    }
}
