internal import SluiceLSTM

/// Which rows of which streams make up which batch, and where each batch row's state comes from: the whole of a carry
/// policy, decided before any arithmetic.
struct BatchPlan: Sendable, Equatable {
    /// A chunk of one segment: consecutive observations of one stream.
    struct Row: Sendable, Equatable {
        let segment: Segment
        let rows: Range<Int>
        /// Whose state the row goes on from and leaves its own to.
        let lane: Int
        /// Starts from the initial state; else from the state its lane was left with, detached.
        let resets: Bool
    }

    /// Each at most `rows` chunks of at most `chunk` steps, of lengths of their own; under `across-sequences` chunks
    /// that follow one another are one row.
    let batches: [[Row]]
    /// Number of lanes, the largest batch.
    let lanes: Int

    /// `per-batch`: every chunk starts from the initial state. The order of segments is that of the chunks.
    static func perBatch(_ segments: [Segment], chunk: Int, rows: Int) -> BatchPlan {
        perBatch(chunks: chunks(segments, chunk: chunk), rows: rows)
    }

    /// The same with chunks in an order of the caller's.
    static func perBatch(chunks: [(segment: Segment, rows: Range<Int>)], rows: Int) -> BatchPlan {
        let batches = stride(from: 0, to: chunks.count, by: rows).map { start in
            chunks[start..<min(start + rows, chunks.count)].enumerated().map { lane, chunk in
                Row(segment: chunk.segment, rows: chunk.rows, lane: lane, resets: true)
            }
        }
        return BatchPlan(batches: batches, lanes: min(rows, chunks.count))
    }

    /// Segments cut into chunks from their first row on. Chunks in which nothing is scored are left out, unless a state
    /// is to go through them.
    static func chunks(
        _ segments: [Segment], chunk: Int, withUnscored: Bool = false
    ) -> [(segment: Segment, rows: Range<Int>)] {
        segments.flatMap { segment in
            stride(from: segment.rows.lowerBound, to: segment.rows.upperBound, by: chunk).compactMap { start in
                let end = min(start + chunk, segment.rows.upperBound)
                return withUnscored || end > segment.scoredFrom ? (segment, start..<end) : nil
            }
        }
    }

    /// `across-batches` in lanes: lane i goes on with the next chunk of its own segment, and when that has ended takes
    /// up the next of `segments`, with a reset of that row alone. As segments run out, batches grow smaller.
    static func lanes(_ segments: [Segment], chunk: Int, rows: Int) -> BatchPlan {
        var waiting = segments.makeIterator()
        var current: [(segment: Segment, next: Int)?] = (0..<rows).map { _ in
            waiting.next().map { ($0, $0.rows.lowerBound) }
        }
        var batches: [[Row]] = []
        while true {
            var batch: [Row] = []
            for lane in 0..<rows {
                guard let (segment, start) = current[lane] else { continue }
                let end = min(start + chunk, segment.rows.upperBound)
                batch.append(
                    Row(segment: segment, rows: start..<end, lane: lane, resets: start == segment.rows.lowerBound))
                current[lane] =
                    end < segment.rows.upperBound ? (segment, end) : waiting.next().map { ($0, $0.rows.lowerBound) }
            }
            guard !batch.isEmpty else { break }
            batches.append(batch)
        }
        return BatchPlan(batches: batches, lanes: min(rows, segments.count))
    }

    /// A plan in the order of the segments.
    static func inOrder(
        _ segments: [Segment], policy: CarryPolicy, order: RowOrder, chunk: Int, rows: Int
    ) -> BatchPlan {
        switch policy {
        case .perBatch: perBatch(segments, chunk: chunk, rows: rows)
        case .acrossBatches where order == .strided: strided(segments, chunk: chunk, rows: rows)
        case .acrossBatches: lanes(segments, chunk: chunk, rows: rows)
        case .acrossSequences: acrossSequences(segments, chunk: chunk, rows: rows)
        }
    }

    /// The plan of one epoch: `per-batch` shuffles chunks, the others segments, never chunks within one; `strided`
    /// keeps the order of the data, which is what it is for.
    static func epoch(
        _ epoch: Int, of segments: [Segment], policy: CarryPolicy, _ configuration: TrainingConfiguration
    ) -> BatchPlan {
        let (chunk, rows, order) = (configuration.chunk, configuration.rows, configuration.order)
        var generator = SeededGenerator(seed: configuration.seed, stream: .shuffle, index: epoch)
        if policy == .perBatch {
            var chunks = chunks(segments, chunk: chunk)
            generator.shuffle(&chunks)
            return .perBatch(chunks: chunks, rows: rows)
        }
        var segments = segments
        if policy != .acrossBatches || order != .strided { generator.shuffle(&segments) }
        return .inOrder(segments, policy: policy, order: order, chunk: chunk, rows: rows)
    }

    /// Steps of the largest batch, the sum over its rows.
    var stepsMax: Int { batches.map { $0.reduce(0) { $0 + $1.rows.count } }.max() ?? 0 }
}
