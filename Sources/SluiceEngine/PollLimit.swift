import SluiceCore

/// How many records a worker takes at once. Their outputs leave together, so it takes few where it is behind for a
/// moment, as after a pause of the machine: the first of them leave soon. Where it is behind for long it takes many:
/// requests of many records cost the broker less, and what a record waits is a matter of throughput then.
struct PollLimit {
    /// That are folded in a millisecond or two.
    static let few = 1_024
    /// Polls in a row that brought as many as those: some tenths of a second of work.
    static let pollsMaximum = 64

    private var polls = 0

    var records: Int { polls < Self.pollsMaximum ? Self.few : Limits.batchRecords }

    /// A poll has brought so many.
    mutating func took(_ count: Int) { polls = count < Self.few ? 0 : polls + 1 }
}
