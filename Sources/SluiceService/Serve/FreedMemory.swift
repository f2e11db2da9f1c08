/// Gives the system back what a burst or a restoration has taken and freed, which the C library keeps otherwise: with a
/// million streams that is a third of a gigabyte. It takes some tens of milliseconds in which others that free or
/// allocate may wait, so it is done while nothing is folded, be it at rest or while all partitions are restored, and
/// when restoring has just ended.
struct FreedMemory {
    /// By which the process must have grown since the last time.
    static let worthBytes = 64 << 20
    /// Where the last time brought as much it is done again: more is freed meanwhile.
    static let moreBytes = 4 << 20

    private var records = 0
    private var isReady = false
    private var isStored = true
    /// In memory when it was last done, before and behind it.
    private var (before, behind) = (0, 0)
    /// What the stores still write to their files is freed behind a restoration.
    private var isMoreExpected = false
    /// It was done while slots were still to be stored, which takes memory again.
    private var awaitsStored = false

    /// - Parameters:
    ///   - records: folded so far; as many as at the last look: the service rests.
    ///   - isStored: nothing is still to be stored.
    ///   - resident: bytes of the process that are in memory.
    /// - Returns: whether it is to be done now; `returned` must follow.
    mutating func isDue(records: Int, isReady: Bool, isStored: Bool, resident: Int) -> Bool {
        let (isCalm, isRestored) = (records == self.records, isReady && !self.isReady)
        (self.records, self.isReady, self.isStored) = (records, isReady, isStored)
        // It is no restoration that brought it back to ready where it has not grown.
        let isRestorationsEnd = isRestored && resident >= behind + Self.moreBytes
        let isWorthIt = isMoreExpected || awaitsStored && isStored || resident >= behind + Self.worthBytes
        guard isRestorationsEnd || isCalm && isWorthIt else { return false }
        (before, isMoreExpected) = (resident, isRestorationsEnd)
        return true
    }

    /// - Parameter resident: what is in memory still.
    mutating func returned(resident: Int) {
        (behind, awaitsStored) = (resident, !isStored)
        if isReady && before - behind >= Self.moreBytes { isMoreExpected = true }
    }
}
