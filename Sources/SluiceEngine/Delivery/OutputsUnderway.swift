import SluiceLog

/// When the inputs arrived whose outputs have not left the worker yet: what their latency is measured from. And how far
/// a commit's outputs have left. Of the entries of one batch, by their index.
struct OutputsUnderway {
    private struct Mark {
        /// The first of its entries that no producer has taken, and behind the last.
        var next, end: Int
        var arrivedNanoseconds: Int64
        var records: Int

        /// Whether a producer has taken all of them.
        mutating func hasLeft(_ outputs: borrowing OutputBatch) -> Bool {
            next = max(next, outputs.next)
            while next < end && outputs.entries[next].isHandedOver { next += 1 }
            return next >= end
        }
    }

    private var marks: [Mark] = []
    /// Entries before it belong to a mark, or came before the first one.
    private var end = 0
    /// Entries before it are those of a commit.
    private var commitEnd = 0

    /// A batch of inputs is folded: its outputs are the last ones. Those of each partition leave when that has room, so
    /// they have marks of their own, with what goes to any partition among them; inputs without outputs belong to the
    /// last.
    mutating func add(_ records: Int, arrived nanoseconds: Int64, _ outputs: borrowing OutputBatch) {
        var left = records
        repeat {
            let start = end
            var partition: Int32 = -1
            while end < outputs.entries.count {
                let next = outputs.entries[end].partition
                if next >= 0 && partition >= 0 && next != partition { break }
                partition = max(partition, next)
                end += 1
            }
            let isLast = end == outputs.entries.count
            let own = isLast ? left : min(left, end - start)
            marks.append(Mark(next: start, end: end, arrivedNanoseconds: nanoseconds, records: own))
            left -= own
        } while end < outputs.entries.count
    }

    /// A commit is begun, of what these outputs say.
    mutating func beginCommit(_ outputs: borrowing OutputBatch) { commitEnd = outputs.entries.count }

    /// Whether a producer has taken all of a commit's.
    func hasCommitLeft(_ outputs: borrowing OutputBatch) -> Bool { outputs.next >= commitEnd }

    /// Reports the inputs of whose outputs a producer has taken the last.
    mutating func left(_ outputs: borrowing OutputBatch, at nanoseconds: Int64, _ observer: any EngineObserver) {
        var kept = 0
        for index in marks.indices {
            if marks[index].hasLeft(outputs) {
                observer.produced(marks[index].records, after: nanoseconds - marks[index].arrivedNanoseconds)
            } else {
                marks[kept] = marks[index]
                kept += 1
            }
        }
        marks.removeLast(marks.count - kept)
    }

    /// Reports all of them.
    mutating func leftAll(at nanoseconds: Int64, _ observer: any EngineObserver) {
        for index in marks.indices {
            observer.produced(marks[index].records, after: nanoseconds - marks[index].arrivedNanoseconds)
        }
        removeAll()
    }

    /// Follows the entries to where they are when those that a producer has taken are dropped: to be called before.
    mutating func dropHandedOver(from outputs: borrowing OutputBatch) {
        var (index, kept) = (0, 0)
        /// Where the entry will be; bounds must come in order.
        func place(_ bound: Int, _ outputs: borrowing OutputBatch) -> Int {
            while index < bound {
                if !outputs.entries[index].isHandedOver { kept += 1 }
                index += 1
            }
            return kept
        }
        for mark in marks.indices {
            marks[mark].next = place(marks[mark].next, outputs)
            marks[mark].end = place(marks[mark].end, outputs)
        }
        end = place(end, outputs)
        (index, kept) = (0, 0)
        commitEnd = place(commitEnd, outputs)
    }

    /// The batch is empty.
    mutating func removeAll() {
        marks.removeAll(keepingCapacity: true)
        (end, commitEnd) = (0, 0)
    }
}
