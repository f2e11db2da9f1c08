internal import SluiceCore
internal import SluiceLSTM

/// What a row starts from where it resets (`training.md`, "Initial states"): in training a draw; in evaluation the
/// mean, or with `initial_state_noise` the draw of service.
///
/// A draw of training depends on (seed, epoch, XXH64 of the stream's name, row at which it resets, layer, h or c, unit)
/// alone; one of evaluation has the boundary's ordinal in place of the row, and no epoch.
struct RowStart {
    private let mean: Float
    private let draws: InitialDraws?
    private let drawsInEvaluation: Bool

    init(_ manifest: ModelManifest, seed: UInt64) {
        mean = manifest.initialDistribution.mean
        draws = InitialDraws(manifest, seed: manifest.seed ?? seed)
        drawsInEvaluation = manifest.drawsInService
    }

    /// What is drawn for a row; nil where it starts from the mean.
    ///
    /// - Parameter epoch: of training; nil in evaluation.
    func key(of row: BatchPlan.Row, in dataset: Dataset, epoch: Int?) -> InitialDraws.Key? {
        guard draws != nil, epoch != nil || drawsInEvaluation else { return nil }
        let (series, first) = (row.segment.series, row.rows.lowerBound)
        guard let epoch else { return dataset.serviceKey(ofSeries: series, row: first) }
        return InitialDraws.Key(
            epoch: UInt64(epoch + 1), stream: dataset.series[series].keyHash, ordinal: UInt64(first))
    }

    /// - Parameters:
    ///   - learned: `[H]` h and c of the layer, where they are parameters.
    ///   - h: `[H]`, as is `c`: filled.
    func fill(
        _ h: Floats, _ c: Floats, hidden: Int, layer: Int, learned: (h: ReadFloats, c: ReadFloats)?,
        _ key: InitialDraws.Key?
    ) {
        if let learned {
            h.update(from: learned.h, count: hidden)
            c.update(from: learned.c, count: hidden)
        } else {
            h.update(repeating: mean, count: hidden)
            c.update(repeating: mean, count: hidden)
        }
        if let key { draws?.add(to: h, c, count: hidden, layer: layer, key) }
    }
}

extension Dataset {
    /// What service draws for the stream's state at a row, counted from the data's first. A reset that the data do not
    /// declare, as of a chunk, has no ordinal: it is told apart by its row.
    func serviceKey(ofSeries index: Int, row: Int) -> InitialDraws.Key {
        let ordinal = boundaries?[index].ordinal(of: row)
        return InitialDraws.Key(
            stream: series[index].keyHash, ordinal: ordinal.map(UInt64.init) ?? 1 << 32 + UInt64(row))
    }
}

extension TrainingSeries {
    /// XXH64 of the stream's key.
    var keyHash: UInt64 {
        var key = name
        return key.withUTF8 { xxHash64(UnsafeRawBufferPointer($0)) }
    }
}

/// The rows at which a stream's sequences begin, ascending.
struct Boundaries: Sendable {
    private let rows: [Int]

    init(_ series: TrainingSeries) { rows = series.segments.map(\.lowerBound) }

    /// Boundaries before the one at `row`; nil where there is none.
    func ordinal(of row: Int) -> Int? {
        var (low, high) = (0, rows.count)
        while low < high {
            let middle = (low + high) / 2
            if rows[middle] < row { low = middle + 1 } else { high = middle }
        }
        return low < rows.count && rows[low] == row ? low : nil
    }
}
