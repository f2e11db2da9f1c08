import SluiceCore
import SluiceLog
import SluiceSchema

/// What a reader with `read_committed` sees when a run is over.
struct History {
    /// By partition of the input, in the order of the topic.
    var predictions: [Int32: [SimulatedRecord]] = [:]
    var rejects: [Int32: [SimulatedRecord]] = [:]
    var events: [Event] = []
    /// Commands in the order of each control partition.
    var commands: [Int32: [(offset: Offset, command: Command)]] = [:]

    /// Ids of the commands that must be recorded, if only as refused: all of them.
    var mustAnswer: [String] { commands.values.flatMap { $0.map(\.command.id) }.sorted() }

    /// Whether a command may be refused: an import where models change, for its state may be another model's by then.
    func mayRefuse(_ id: String) -> Bool {
        commands.values.contains { given in
            given.contains { $0.command.id == id && $0.command.type == .import }
                && given.contains { $0.command.type == .swap }
        }
    }

    init(_ cluster: SimulatedCluster) throws {
        let messages = try MessageDecoder()
        for (index, log) in (cluster.topics[Topics.predictions] ?? []).enumerated() {
            predictions[Int32(index)] = log.archive.filter(\.isCommitted)
        }
        for log in cluster.topics[Topics.rejects] ?? [] {
            for record in log.archive where record.isCommitted {
                guard let source = SnapshotText.source(record) else {
                    throw Violation(.sameBits, "a reject does not say where it comes from")
                }
                rejects[source.partition, default: []].append(record)
            }
        }
        for log in cluster.topics[Topics.events] ?? [] {
            for record in log.archive where record.isCommitted {
                events.append(try (record.value ?? []).withUnsafeBytes { try messages.event($0) })
            }
        }
        for (index, log) in (cluster.topics[Topics.control] ?? []).enumerated() {
            commands[Int32(index)] = try log.archive.filter(\.isCommitted).map { record in
                (record.offset, try (record.value ?? []).withUnsafeBytes { try messages.command($0) })
            }
        }
    }
}
