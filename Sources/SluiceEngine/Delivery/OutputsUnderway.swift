/// When the inputs arrived whose outputs have not left the worker yet: what their latency is measured from.
struct OutputsUnderway {
    private struct Mark {
        /// Behind its outputs, counted over all that were ever appended.
        var end: Int
        var arrivedNanoseconds: Int64
        var records: Int
    }

    private var marks: [Mark] = []
    private var first = 0
    /// Outputs that were taken out of what is open.
    private var closed = 0

    /// A batch of inputs is folded, and its outputs are the last of those open.
    mutating func add(_ records: Int, arrived nanoseconds: Int64, open outputs: Int) {
        marks.append(Mark(end: closed + outputs, arrivedNanoseconds: nanoseconds, records: records))
    }

    /// The last of those open, counted over all that were ever appended.
    func end(open outputs: Int) -> Int { closed + outputs }

    /// Whether all outputs up to this one have left, where all but the last few of those closed have.
    func haveLeft(_ end: Int, allBut waiting: Int) -> Bool { end <= closed - waiting }

    /// What was open goes its way, and other outputs are appended from now on.
    mutating func close(_ outputs: Int) { closed += outputs }

    /// Outputs of what was closed have left, all but the last few of them.
    mutating func left(allBut waiting: Int, at nanoseconds: Int64, _ observer: any EngineObserver) {
        while first < marks.count, marks[first].end <= closed - waiting {
            observer.produced(marks[first].records, after: nanoseconds - marks[first].arrivedNanoseconds)
            first += 1
        }
        guard first == marks.count || first > 1_000 else { return }
        marks.removeFirst(first)
        first = 0
    }

    /// None of them leaves.
    mutating func removeAll() {
        marks.removeAll(keepingCapacity: true)
        (first, closed) = (0, 0)
    }
}
