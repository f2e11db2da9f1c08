import SluiceCore
import SluiceLog
import SluiceSchema

/// Holds a run that is over and healed against the reference.
struct Checker {
    let cluster: SimulatedCluster
    let scenario: Scenario
    let history: History
    let references: [Reference]
    /// Commands may be refused because files of models were gone, or no models.
    let lacksModels: Bool

    init(_ run: Simulation) throws {
        cluster = run.cluster
        scenario = run.scenario
        lacksModels = [.modelGone, .modelDamaged].contains { run.faults.hasStruck($0) }
        let history = try History(cluster)
        self.history = history
        var known: Set<String> = []
        // The first record of a command counts; that there is one only is checked for itself.
        let events = history.events.filter { known.insert($0.id).inserted }
        references = try (run.cluster.topics[Topics.input] ?? []).enumerated().map { index, log in
            let partition = Int32(index)
            let changelog = try run.cluster.log(TopicPartition(topic: Topics.slots, partition: partition))
            return try Reference(
                log, partition: partition, events: events, messageBytesMax: Simulation.messageBytesMax,
                sizes: run.scenario.sizes, origin: Self.origin(run, partition),
                coldStarts: ColdStart.told(run.coldStarts, partition, changelog))
        }
    }

    /// Where a partition began, by the first position that was ever committed of it.
    static func origin(_ run: Simulation, _ partition: Int32) -> Offset {
        guard run.scenario.beginsAtEnd else { return 0 }
        let metadata = run.cluster.group.firstCommitted[partition]?.metadata ?? ""
        let parts = metadata.split(separator: " ", omittingEmptySubsequences: false)
        return parts.count == 6 ? Offset(parts[5]) ?? 0 : 0
    }

    /// - Throws: the first `Violation`.
    func check() throws {
        try checkCommands()
        for (index, reference) in references.enumerated() {
            let partition = Int32(index)
            let pairs = [
                ("prediction", reference.predictions, history.predictions[partition] ?? []),
                ("reject", reference.rejects, history.rejects[partition] ?? []),
            ]
            for (noun, expected, found) in pairs {
                if scenario.isExactlyOnce {
                    try Self.exactly(noun, partition, expected, found)
                } else {
                    try Self.repeated(noun, partition, expected, found)
                }
            }
            if scenario.isExactlyOnce { try checkSnapshots(partition, reference) }
        }
    }

    /// What makes two outputs the same: all but when they were written.
    private static func content(_ record: SimulatedRecord) -> [[UInt8]?] {
        [record.key, record.value] + record.headers.flatMap { [Array($0.name.utf8), $0.value] }
    }

    private static func offset(_ record: SimulatedRecord) -> Offset? {
        SnapshotText.source(record)?.offset ?? SnapshotText.member("offset", of: record.value ?? [])
    }

    private static func show(_ record: SimulatedRecord) -> String {
        String(decoding: record.value ?? [], as: UTF8.self).prefix(300).description
    }

    static func exactly(
        _ noun: String, _ partition: Int32, _ expected: [Reference.Output], _ found: [SimulatedRecord]
    ) throws {
        var wanted: [Offset: SimulatedRecord] = [:]
        for output in expected { wanted[output.offset] = output.record }
        var seen: Set<Offset> = []
        var last: [[UInt8]?: Offset] = [:]
        for record in found {
            guard let offset = Self.offset(record), let right = wanted[offset] else {
                throw Violation(.oneOutcome, "a \(noun) of partition \(partition) that no input has: \(show(record))")
            }
            guard record.key == right.key else {
                throw Violation(.ownState, "\(noun) \(partition)/\(offset) is another stream's: \(show(record))")
            }
            guard content(record) == content(right) else {
                throw Violation(
                    .sameBits, "\(noun) \(partition)/\(offset) is \(show(record)), not \(show(right))")
            }
            guard seen.insert(offset).inserted else {
                throw Violation(.oneOutcome, "\(noun) \(partition)/\(offset) is there twice")
            }
            if noun == "prediction", let before = last[record.key], before > offset {
                throw Violation(.order, "\(noun) \(partition)/\(offset) comes behind that of \(before)")
            }
            last[record.key] = offset
        }
        if let missing = expected.first(where: { !seen.contains($0.offset) }) {
            throw Violation(.oneOutcome, "\(noun) \(partition)/\(missing.offset) is missing")
        }
    }

    /// In each topic it may go back at any place, and never ahead.
    static func repeated(
        _ noun: String, _ partition: Int32, _ expected: [Reference.Output], _ found: [SimulatedRecord]
    ) throws {
        var wanted: [Offset: SimulatedRecord] = [:]
        for output in expected { wanted[output.offset] = output.record }
        var seen: Set<Offset> = []
        for record in found {
            guard let offset = Self.offset(record), let right = wanted[offset] else {
                throw Violation(
                    .atLeastOnce, "a \(noun) of partition \(partition) that no input has: \(show(record))")
            }
            guard content(record) == content(right) else {
                throw Violation(
                    .atLeastOnce, "\(noun) \(partition)/\(offset) is \(show(record)), not \(show(right))")
            }
            let earlier = expected.first {
                $0.record.key == record.key && $0.offset < offset && !seen.contains($0.offset)
            }
            if noun == "prediction", let earlier {
                throw Violation(
                    .atLeastOnce, "\(noun) \(partition)/\(offset) comes before that of \(earlier.offset)")
            }
            seen.insert(offset)
        }
        if let missing = expected.first(where: { !seen.contains($0.offset) }) {
            throw Violation(.atLeastOnce, "\(noun) \(partition)/\(missing.offset) is lost")
        }
    }
}
