/// The plans that go by the order of the chunks in the data set, whatever stream they are of.
extension BatchPlan {
    /// `across-batches`, strided: chunk k sits in row k mod B of batch k div B, the arrangement of Keras with
    /// `shuffle=False`. A row goes on from the chunk B before its own, also where that is of another stream, unless a
    /// segment begins with it; in the first batch there is none to go on from.
    static func strided(_ segments: [Segment], chunk: Int, rows: Int) -> BatchPlan {
        let chunks = chunks(segments, chunk: chunk, withUnscored: true)
        let batches = stride(from: 0, to: chunks.count, by: rows).map { start in
            chunks[start..<min(start + rows, chunks.count)].enumerated().map { lane, chunk in
                let begins = chunk.rows.lowerBound == chunk.segment.rows.lowerBound
                return Row(segment: chunk.segment, rows: chunk.rows, lane: lane, resets: begins || start == 0)
            }
        }
        return BatchPlan(batches: batches, lanes: min(rows, chunks.count))
    }

    /// `across-sequences`: a batch is the next B chunks, each of which starts from the final state of the one before,
    /// or anew where a segment begins.
    ///
    /// The chunks of one segment in one batch are therefore a single row of up to B · chunk steps, with the gradient
    /// through all of it, and segments run beside one another. One that goes on in the next batch does so detached, in
    /// the lane where it was left.
    static func acrossSequences(_ segments: [Segment], chunk: Int, rows: Int) -> BatchPlan {
        let chunks = chunks(segments, chunk: chunk, withUnscored: true)
        var batches: [[Row]] = []
        for start in stride(from: 0, to: chunks.count, by: rows) {
            var chains: [(segment: Segment, rows: Range<Int>)] = []
            for chunk in chunks[start..<min(start + rows, chunks.count)] {
                if let last = chains.last, chunk.rows.lowerBound > chunk.segment.rows.lowerBound {
                    chains[chains.count - 1].rows = last.rows.lowerBound..<chunk.rows.upperBound
                } else {
                    chains.append(chunk)
                }
            }
            let goesOn = chains[0].rows.lowerBound > chains[0].segment.rows.lowerBound
            let taken = goesOn ? batches.last?.last?.lane : nil
            var free = (0..<rows).filter { $0 != taken }.makeIterator()
            batches.append(
                chains.enumerated().map { index, chain in
                    let lane = index == 0 ? taken ?? free.next() : free.next()
                    return Row(
                        segment: chain.segment, rows: chain.rows, lane: lane ?? 0, resets: index > 0 || !goesOn)
                })
        }
        return BatchPlan(batches: batches, lanes: min(rows, chunks.count))
    }
}
