import SluiceCore
import SluiceSchema

/// Reads encoded predictions of one target and horizon back, one at a time.
final class PredictionReader {
    struct Contents {
        var stream: UnsafeRawBufferPointer
        var time: EpochMilliseconds
        var value, anomaly: Float
        /// As a Float: exact up to 2²⁴.
        var step: Float
        var isWarm: Bool
        var partition: Int32
        var offset: Offset
    }

    @exclusivity(unchecked) private var decoder: ObservationDecoder
    @exclusivity(unchecked) private var columns = ObservationColumns(featureCount: 3, rowsExpected: 1)

    init() throws {
        decoder = try ObservationDecoder(
            InputSpecification(
                source: .field,
                features: [
                    InputSpecification.Feature("value", "/forecast/0/value"),
                    InputSpecification.Feature("anomaly", "/anomaly"), InputSpecification.Feature("step", "/step"),
                ], label: "/warm"))
    }

    /// Nil for what is no prediction. The stream's name is valid until the next is read; NaN is an anomaly of null.
    func read(_ message: UnsafeRawBufferPointer) -> Contents? {
        columns.removeAll()
        guard decoder.append(InputRecord(value: message), to: &columns) == nil else { return nil }
        let (row, values) = (columns.rows[0], columns.features(0))
        guard values[0].isFinite, !row.isTombstone, !row.sourceTopic.isNone else { return nil }
        return Contents(
            stream: columns.bytes(row.key), time: row.time, value: values[0], anomaly: values[1], step: values[2],
            isWarm: row.label == 1, partition: row.sourcePartition, offset: row.offset)
    }
}
