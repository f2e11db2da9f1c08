import SluiceCore
import SluiceLog
import SluiceSchema

/// A partition was restored although retention had taken inputs that some of its states needed: what the reference must
/// be told, for the log cannot say it any more.
struct ColdStart {
    var partition: Int32
    /// The first input that was left.
    var lost: Offset
    /// The first input that is answered from the cold states.
    var from: Offset
    /// Whose transactions the worker's are.
    var producer: Int64
    /// Where the changelog ended when it was noticed.
    var changelogEnd: Offset
}

/// A cold start that counted, with what the changelog held then.
struct ToldColdStart {
    var start: ColdStart
    /// Commands before it were in the state.
    var control: Offset
    /// The latest snapshot of each stream.
    var bases: [[UInt8]: [UInt8]] = [:]

    /// Whether a command took effect at the same input, behind it.
    func precedes(_ event: Event) -> Bool { event.offset == start.from && (event.control ?? 0) >= control }
}

extension ColdStart {
    /// Those whose worker has committed what it made of them: others were given up for another owner's, or for a later
    /// one of the same.
    static func told(_ starts: [ColdStart], _ partition: Int32, _ changelog: PartitionLog) -> [ToldColdStart] {
        let heads = changelog.archive.filter { $0.isCommitted && $0.key == [0xFF, UInt8(ascii: "h")] }
        let mine = starts.filter { $0.partition == partition }
        return mine.enumerated().compactMap { index, start in
            guard let head = heads.first(where: { $0.offset >= start.changelogEnd }),
                head.stamp?.producer == start.producer,
                !mine[(index + 1)...].contains(where: {
                    $0.producer == start.producer && $0.changelogEnd <= head.offset
                })
            else { return nil }
            let before = heads.last { $0.offset < start.changelogEnd }?.value ?? []
            var told = ToldColdStart(start: start, control: SnapshotText.member("control", of: before) ?? 0)
            for record in changelog.archive[..<Int(start.changelogEnd)] where record.isCommitted {
                if let key = record.key, key.first != 0xFF { told.bases[key] = record.value }
            }
            return told
        }
    }
}

extension Simulation {
    /// A worker has restored a partition.
    func noticeColdStart(_ partition: Int32, _ lost: Offset, from: Offset, of name: String) {
        guard let producer = cluster.transactions.producer(name),
            let log = try? cluster.log(TopicPartition(topic: Topics.slots, partition: partition))
        else { return }
        coldStarts.append(
            ColdStart(partition: partition, lost: lost, from: from, producer: producer, changelogEnd: log.high))
        observer.say("partition \(partition) begins cold before \(lost), live at \(from)")
    }
}
