/// How the rows of a batch lie in memory: longest first, step by step, without padding.
///
/// Step t holds the rows that are at least t + 1 long; row j of step t is row `offsets[t] + j` of every packed matrix
/// `[P, …]`, and row j of step t + 1 is the same stream one observation later. A row that has ended costs nothing.
struct PackedBatch {
    /// Rows of the plan, longest first; equal ones keep their order.
    private(set) var rows: [BatchPlan.Row] = []
    /// Rows of each step, descending.
    private(set) var active: [Int] = []
    /// First packed row of each step.
    private(set) var offsets: [Int] = []
    /// P: the sum of the rows' lengths.
    private(set) var count = 0

    mutating func pack(_ batch: [BatchPlan.Row]) {
        rows.removeAll(keepingCapacity: true)
        active.removeAll(keepingCapacity: true)
        offsets.removeAll(keepingCapacity: true)
        rows += batch.enumerated().sorted {
            ($1.element.rows.count, $0.offset) < ($0.element.rows.count, $1.offset)
        }.map(\.element)
        count = 0
        var running = rows.count
        for step in 0..<(rows.first?.rows.count ?? 0) {
            while rows[running - 1].rows.count <= step { running -= 1 }
            active.append(running)
            offsets.append(count)
            count += running
        }
    }

    var steps: Int { active.count }
}
