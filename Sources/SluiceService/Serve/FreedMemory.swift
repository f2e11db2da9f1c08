/// Gives the system back what a burst or a restoration has taken and freed, which the C library keeps otherwise: with a
/// million streams that is a third of a gigabyte. It takes some tens of milliseconds in which others that free or
/// allocate may wait, so it is done while nothing is folded, be it at rest or while all partitions are restored, and
/// when restoring has just ended.
struct FreedMemory {
    /// By which the process must have grown since the last time.
    static let worthBytes = 64 << 20

    private var records = 0
    private var isReady = false
    private var residentBytes = 0

    /// - Parameters:
    ///   - records: folded so far; as many as at the last look: the service rests.
    ///   - resident: bytes of the process that are in memory.
    /// - Returns: whether it is to be done now; `returned` must follow.
    mutating func isDue(records: Int, isReady: Bool, resident: Int) -> Bool {
        let isCalm = records == self.records || isReady && !self.isReady
        (self.records, self.isReady) = (records, isReady)
        return isCalm && resident >= residentBytes + Self.worthBytes
    }

    /// - Parameter resident: what is in memory still.
    mutating func returned(resident: Int) { residentBytes = resident }
}
