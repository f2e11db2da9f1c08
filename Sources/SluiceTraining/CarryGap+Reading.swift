extension CarryGap {
    /// What the gap says, in one line.
    package var reading: String {
        let (carried, reset) = (carried.loss, resetPerChunk.loss)
        guard carried.isFinite, reset.isFinite else { return "no judgement: nothing to compare" }
        let scale = max(abs(carried), abs(reset))
        let percent = scale > 0 ? Int((100 * abs(difference) / scale).rounded()) : 0
        if percent < 1 { return "carrying changes next to nothing: no more memory is needed than one chunk holds" }
        if difference < 0 { return "carrying, as 'serve' does, lowers the loss by \(percent) %: the policy suits it" }
        return "carrying, as 'serve' does, raises the loss by \(percent) %: train with --carry across-batches, in"
            + " longer chunks, or declare boundaries"
    }
}
