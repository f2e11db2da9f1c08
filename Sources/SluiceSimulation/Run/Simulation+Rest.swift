import SluiceCore
import SluiceLog
import SluiceSchema

extension Simulation {
    /// What is left to do, for people; nil when all is done.
    var unfinished: String? {
        for (index, log) in (cluster.topics[Topics.input] ?? []).enumerated() {
            guard log.lastStable == log.high else { return "an input transaction is open" }
            let committed = cluster.group.committed[Int32(index)]?.offset ?? log.low
            if log.archive[Int(min(committed, log.high))...].contains(where: { $0.isCommitted }) {
                let errors = processes.flatMap(\.errors).suffix(3).joined(separator: "; ")
                return "partition \(index) stands at \(committed) of \(log.high) (\(cluster.group.summary); "
                    + "errors: \(errors))"
            }
            // Retention may take all of a log at rest: no state may need anything of it, be it marks alone.
            let metadata = cluster.group.committed[Int32(index)]?.metadata
            let from = metadata.flatMap { Self.replayFrom($0) } ?? log.low
            if scenario.isExactlyOnce, canary == nil, from < log.high {
                return "a replay of partition \(index), which is at rest, begins at \(from) of \(log.high)"
            }
        }
        guard cluster.transactions.isQuiet else { return "a transaction is open" }
        guard let history = try? History(cluster) else { return "something is there that nobody can read" }
        let answered = Set(history.events.map(\.id))
        return history.mustAnswer.first { !answered.contains($0) }.map { "the command \($0) is not answered" }
    }
}
